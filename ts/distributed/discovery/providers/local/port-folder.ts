import { createHash } from "node:crypto";
import { lstat, mkdir, opendir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FoundationError } from "../../../../base/errors.ts";
import { readCapped } from "../../capped-file.ts";
import { ENTRIES_MAX } from "../../entries.ts";
import type { DiscoveringNode, ProviderNote } from "../../provider.ts";
import { isGone, ownMark, type ProcessMark } from "./process-mark.ts";

/** What a node writes of itself. */
interface PortFile extends ProcessMark {
  readonly name: string;
  readonly cluster: string;
  readonly address: string;
}

/** Longest of such files: names have 255 bytes at most. Unit: bytes. */
const FILE_BYTES_MAX = 8_192;

/** `pid-digits.json`; with a dot before it while it is being written. */
const FILE_NAME = /^\.?([1-9]\d{0,9})-[0-9a-f]{16}\.json$/;

/** Others must neither write there nor stand in for it. */
const WRITABLE_BY_OTHERS = 0o022;

/** The files of the nodes of one cluster on this host, in a folder that is the user's alone. */
export class PortFolder {
  /** Where the files are: a folder for each cluster. */
  readonly path: string;
  readonly #root: string;
  readonly #cluster: string;
  readonly #note: ProviderNote;

  constructor(root: string, cluster: string, note: ProviderNote) {
    this.#root = root;
    this.#cluster = cluster;
    this.#note = note;
    const shown = cluster.replace(/[^\w-]/g, "_").slice(0, 40);
    this.path = join(root, `${shown}-${digits(cluster)}`);
  }

  /** Makes the folder where it misses. Fails where it is not safe. */
  async open(): Promise<void> {
    for (const path of [this.#root, this.path]) {
      await mkdir(path, { mode: 0o700 }).catch(unlessCode("EEXIST"));
      await checkOwn(path);
    }
  }

  /**
   * Writes the file of a node, all at once, where it is not there as it should be: somebody who
   * tidies the folder hides no node for good. Answers its path.
   */
  async announce(self: DiscoveringNode): Promise<string> {
    const { name, cluster, address } = self;
    const file: PortFile = { name, cluster, address, ...(await ownMark()) };
    const text = `${JSON.stringify(file)}\n`;
    const fileName = `${process.pid}-${digits(name, address)}.json`;
    const path = join(this.path, fileName);
    if ((await textOf(path)) === text) return path;
    const draft = join(this.path, `.${fileName}`);
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, path);
    return path;
  }

  /** Entries of the nodes whose processes live; files of those that are gone are removed. */
  async entries(): Promise<readonly unknown[]> {
    const own = await ownMark();
    const entries: unknown[] = [];
    for await (const { name: fileName } of await opendir(this.path)) {
      const pid = FILE_NAME.exec(fileName)?.[1];
      if (pid === undefined) {
        this.#note("badFile");
        continue;
      }
      if (entries.length > ENTRIES_MAX) break;
      const entry = await this.#entryOf(fileName, Number(pid), own);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  async #entryOf(fileName: string, pid: number, own: ProcessMark): Promise<unknown> {
    const path = join(this.path, fileName);
    const file = await readPortFile(path);
    const isDraft = fileName.startsWith(".");
    if (file === undefined || file.pid !== pid || file.cluster !== this.#cluster) {
      // Half written by one that went meanwhile, or somebody else's.
      const isLeft = (await isGone({ ...own, pid, start: "" }, own)) === true;
      if (isLeft) await rm(path, { force: true });
      else if (!isDraft) this.#note("badFile");
      return undefined;
    }
    const isOver = await isGone(file, own);
    if (isOver === true) await rm(path, { force: true });
    if (isOver === undefined) this.#note("otherContainer");
    const { address, name } = file;
    return isOver === false && !isDraft ? { address, name } : undefined;
  }
}

function digits(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 16);
}

async function readPortFile(path: string): Promise<PortFile | undefined> {
  try {
    const file: unknown = JSON.parse((await textOf(path)) ?? "");
    return isPortFile(file) ? file : undefined;
  } catch {
    // None of ours: whoever asks counts it.
    return undefined;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return (await readCapped(path, FILE_BYTES_MAX)).toString();
  } catch {
    // It went meanwhile, or is no such file.
    return undefined;
  }
}

function isPortFile(file: unknown): file is PortFile {
  if (typeof file !== "object" || file === null) return false;
  const { name, cluster, address, pid, start, space } = file as Record<string, unknown>;
  const texts = [name, cluster, address, start, space];
  return texts.every((text) => typeof text === "string") && typeof pid === "number";
}

/** Fails for a folder in which somebody else could write, or that is none. */
async function checkOwn(path: string): Promise<void> {
  const found = await lstat(path);
  const { mode, uid } = found;
  const user = process.getuid?.() ?? uid;
  if (!found.isDirectory()) throw refusal(`${path} is no folder`);
  if (uid !== user) throw refusal(`${path} belongs to the user ${uid}, not to ${user}`);
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    throw refusal(`others can write in ${path}; have it say: chmod 700`);
  }
}

function refusal(text: string): FoundationError {
  return new FoundationError("discovery_failed", text);
}

function unlessCode(code: string): (thrown: unknown) => void {
  return (thrown) => {
    if ((thrown as { code?: unknown }).code !== code) throw thrown;
  };
}
