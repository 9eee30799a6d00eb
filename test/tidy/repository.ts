import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text file as a rule sees it. Rules never touch the disk, so a test can plant any file. */
export interface SourceFile {
  /** Path from the root of the repository, with `/` on every platform. */
  readonly path: string;
  readonly text: string;
}

/** One violation: where it is, and why the rule minds. */
export interface Finding {
  readonly path: string;
  /** Counted from 1; 1 when the file as a whole is meant. */
  readonly line: number;
  readonly reason: string;
}

/** A style rule as a pure function over the whole tree, because most rules relate files. */
export type Rule = (files: readonly SourceFile[]) => Finding[];

const FOLDERS_SKIPPED: ReadonlySet<string> = new Set([
  ".git",
  "artifacts",
  "build",
  "corpus",
  "coverage",
  "dist",
  "node_modules",
  "target",
]);

// Compiled products and logs lie about untracked; they are nobody's source.
const NAMES_SKIPPED = /\.(?:node|log|tgz|o|a|so|profraw|tsbuildinfo)$/;

/** Reads every text file below `root`, in path order. Files with a NUL byte count as binary. */
export function readRepository(root: string): SourceFile[] {
  const paths: string[] = [];
  collect(root, "", paths);
  const files: SourceFile[] = [];
  for (const path of paths.sort()) {
    const bytes = readFileSync(join(root, path));
    if (!bytes.includes(0)) files.push({ path, text: bytes.toString("utf8") });
  }
  return files;
}

function collect(root: string, folder: string, paths: string[]): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!FOLDERS_SKIPPED.has(entry.name)) collect(root, path, paths);
    } else if (entry.isFile() && entry.name !== ".git" && !NAMES_SKIPPED.test(entry.name)) {
      paths.push(path);
    }
  }
}

/** Code that a tool wrote: nobody reads it line by line, so rules about form pass it over. */
export function isGenerated(path: string): boolean {
  return (
    path.startsWith("bindings/generated/") ||
    /(?:^|\/)generated\.rs$/.test(path) ||
    /(?:^|\/)(?:package-lock\.json|Cargo\.lock)$/.test(path)
  );
}

/** TypeScript or JavaScript that people of this project wrote. */
export function isScript(path: string): boolean {
  return /\.(?:ts|mts|mjs|js)$/.test(path) && !path.endsWith(".d.ts") && !isGenerated(path);
}

/** Rust that people of this project wrote. */
export function isRust(path: string): boolean {
  return path.endsWith(".rs") && !isGenerated(path);
}

/** The 1-based line of a character offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line += 1;
  }
  return line;
}

/** Findings as a reader of a failed test wants them: one a line, clickable. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ path, line, reason }) => `${path}:${line}: ${reason}`).join("\n");
}
