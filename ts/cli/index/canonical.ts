import { createHash } from "node:crypto";
import { comparePaths, type FileRecord } from "./record.ts";

/** One record as JSON with its fields in a fixed order, whatever order they arrived in. */
function canonicalLine(record: FileRecord): string {
  return JSON.stringify([
    record.path,
    record.bytes,
    record.sha256,
    record.isModule,
    record.imports,
    record.exports,
    record.functions,
    record.classes,
    record.types,
    record.parseErrors,
    record.problem,
  ]);
}

/** A copy in the order of the paths. */
export function sortRecords(records: readonly FileRecord[]): FileRecord[] {
  return [...records].sort((left, right) => comparePaths(left.path, right.path));
}

/**
 * SHA-256 over the sorted records, one JSON line each. Equal for two runs exactly if they found
 * the same files with the same contents and the parser said the same of each.
 */
export function digestRecords(records: readonly FileRecord[]): string {
  const hash = createHash("sha256");
  for (const record of sortRecords(records)) hash.update(`${canonicalLine(record)}\n`);
  return hash.digest("hex");
}

/** Paths on which two runs disagree, sorted: in one only, or with another record. */
export function differingPaths(
  left: readonly FileRecord[],
  right: readonly FileRecord[],
): string[] {
  const lines = new Map(left.map((record) => [record.path, canonicalLine(record)]));
  const differing: string[] = [];
  for (const record of right) {
    if (lines.get(record.path) !== canonicalLine(record)) differing.push(record.path);
    lines.delete(record.path);
  }
  return [...differing, ...lines.keys()].sort(comparePaths);
}
