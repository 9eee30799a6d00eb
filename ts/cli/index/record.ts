/**
 * What the index knows of one file. Every field follows from the path and the content alone, so
 * two runs on the same files agree to the byte, wherever each file was parsed.
 */
export interface FileRecord {
  /** Relative to the indexed folder, with `/` on every system. */
  readonly path: string;
  /** Length of the content. Unit: bytes. */
  readonly bytes: number;
  /** SHA-256 of the content, in hexadecimal. */
  readonly sha256: string;
  /** Whether the file has `import`, `export` or `import.meta`. */
  readonly isModule: boolean;
  /** Specifiers of imports, re-exports, `import()` and `require()`; sorted, each once. */
  readonly imports: readonly string[];
  /** Exported names; `*` for `export * from`, `default` for `module.exports =`. Sorted. */
  readonly exports: readonly string[];
  /** Functions of every form: declared, anonymous, arrows, methods. */
  readonly functions: number;
  /** Class declarations and expressions. */
  readonly classes: number;
  /** TypeScript interfaces, type aliases and enums. */
  readonly types: number;
  /** Errors the parser reported; the other fields then hold what it could still see. */
  readonly parseErrors: number;
  /** First of those errors, or why the file was not given to the parser. */
  readonly problem: string | null;
}

/** Why a file has no record. */
export type SkipReason = "unreadable" | "binary" | "huge" | "crashes-parser";

/** A file or folder that was met and left out, with the reason in words. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: SkipReason;
  readonly detail: string;
}

/** Orders paths by code unit, which is the same on every machine and in every locale. */
export function comparePaths(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
