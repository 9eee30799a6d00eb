import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, usageError } from "../exit.ts";
import { comparePaths, type SkippedFile } from "./record.ts";

/** A source file as the scan saw it; nothing is opened before it is dispatched. */
export interface CorpusFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  /** Length at the time of the scan. Unit: bytes. */
  readonly bytes: number;
}

/** The sources under one folder, in the order of their paths. */
export interface Corpus {
  /** Real path of the folder. */
  readonly root: string;
  readonly files: readonly CorpusFile[];
  readonly bytes: number;
  /** Symbolic links that were met. None is followed, so there is no loop and no way out. */
  readonly symbolicLinks: number;
  /** Folders and files the system did not let us see. */
  readonly skipped: readonly SkippedFile[];
}

const SOURCE_NAME = /\.(?:js|mjs|cjs|jsx|ts|mts|cts|tsx)$/;

/** Open `lstat` calls at a time; enough to keep the disk busy, far below any descriptor limit. */
const STAT_BATCH = 64;

/** True for names of JavaScript and TypeScript files, declarations included. */
export function isSourceName(name: string): boolean {
  return SOURCE_NAME.test(name);
}

/**
 * The folder that is indexed when none is named: the nearest `node_modules` at or above the
 * working folder, else the one that holds this package's own dependencies.
 */
export async function installedDependenciesFolder(workingFolder: string): Promise<string> {
  let folder = resolve(workingFolder);
  while (true) {
    const candidate = join(folder, "node_modules");
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isDirectory() === true) return candidate;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  const manifest = createRequire(import.meta.url).resolve("commander/package.json");
  return dirname(dirname(manifest));
}

/**
 * Lists the sources under a folder, or the one file that `path` names. Throws a usage error when
 * the path does not exist or is a file of another kind; a folder without sources gives an empty
 * list.
 */
export async function scanCorpus(
  path: string,
  excludedFolders: readonly string[],
  signal: AbortSignal,
): Promise<Corpus> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw usageError("path_not_found", `cannot open ${path}: ${messageOf(cause)}`, cause);
  });
  const entry = await stat(real);
  if (entry.isFile()) return singleFile(path, real, entry.size);
  if (!entry.isDirectory()) {
    throw usageError("path_unsupported", `${path} is neither a folder nor a regular file`);
  }
  return new Scan(real, new Set(excludedFolders), signal).run();
}

function singleFile(path: string, real: string, bytes: number): Corpus {
  if (!isSourceName(real)) {
    throw usageError("path_unsupported", `${path} is not a JavaScript or TypeScript file`);
  }
  const files = [{ path: basename(real), bytes }];
  return { root: dirname(real), files, bytes, symbolicLinks: 0, skipped: [] };
}

class Scan {
  readonly #root: string;
  readonly #excluded: ReadonlySet<string>;
  readonly #signal: AbortSignal;
  readonly #files: CorpusFile[] = [];
  readonly #skipped: SkippedFile[] = [];
  #symbolicLinks = 0;

  constructor(root: string, excluded: ReadonlySet<string>, signal: AbortSignal) {
    this.#root = root;
    this.#excluded = excluded;
    this.#signal = signal;
  }

  async run(): Promise<Corpus> {
    // A list of folders still to visit instead of recursion: depth costs no stack.
    const folders = [""];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      this.#signal.throwIfAborted();
      const sources: string[] = [];
      for (const entry of await this.#list(folder)) {
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isSymbolicLink()) this.#symbolicLinks++;
        else if (entry.isDirectory() && !this.#excluded.has(entry.name)) folders.push(path);
        else if (entry.isFile() && isSourceName(entry.name)) sources.push(path);
      }
      await this.#measure(sources);
    }
    this.#files.sort((left, right) => comparePaths(left.path, right.path));
    return {
      root: this.#root,
      files: this.#files,
      bytes: this.#files.reduce((sum, file) => sum + file.bytes, 0),
      symbolicLinks: this.#symbolicLinks,
      skipped: this.#skipped,
    };
  }

  async #list(folder: string): Promise<Dirent[]> {
    try {
      return await readdir(join(this.#root, folder), { withFileTypes: true });
    } catch (cause) {
      this.#skip(folder === "" ? "." : folder, cause);
      return [];
    }
  }

  async #measure(paths: readonly string[]): Promise<void> {
    for (let start = 0; start < paths.length; start += STAT_BATCH) {
      const batch = paths.slice(start, start + STAT_BATCH);
      await Promise.all(batch.map((path) => this.#measureOne(path)));
    }
  }

  async #measureOne(path: string): Promise<void> {
    try {
      const entry = await lstat(join(this.#root, path));
      this.#files.push({ path, bytes: entry.size });
    } catch (cause) {
      this.#skip(path, cause);
    }
  }

  #skip(path: string, cause: unknown): void {
    this.#skipped.push({ path, reason: "unreadable", detail: messageOf(cause) });
  }
}
