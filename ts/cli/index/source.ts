import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../exit.ts";
import type { SkippedFile } from "./record.ts";

/** A file's content, or the reason why it is left out. */
export type Source =
  | { readonly kind: "content"; readonly content: Uint8Array }
  | { readonly kind: "skipped"; readonly skipped: SkippedFile };

/** A NUL byte this early marks a file as binary; text editors and git look as far. */
const BINARY_PROBE_BYTES = 8 * 1024;

/**
 * Reads one source. Never throws for what a disk may hold: a file that is gone, forbidden, larger
 * than the limit, or no UTF-8 text comes back as skipped.
 */
export async function readSource(
  root: string,
  path: string,
  fileBytesMax: number,
): Promise<Source> {
  try {
    const content = await readUpTo(join(root, path), fileBytesMax);
    if (content === undefined) {
      return skip(path, "huge", `larger than ${fileBytesMax} bytes`);
    }
    if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) {
      return skip(path, "binary", "has a NUL byte near its start");
    }
    if (!isUtf8(content)) return skip(path, "binary", "is not UTF-8 text");
    return { kind: "content", content };
  } catch (cause) {
    return skip(path, "unreadable", messageOf(cause));
  }
}

/** The size is taken from the open file, so a file that grew since the scan is still refused. */
async function readUpTo(absolutePath: string, bytesMax: number): Promise<Buffer | undefined> {
  const file = await open(absolutePath, "r");
  try {
    const { size } = await file.stat();
    return size > bytesMax ? undefined : await file.readFile();
  } finally {
    await file.close();
  }
}

function skip(path: string, reason: SkippedFile["reason"], detail: string): Source {
  return { kind: "skipped", skipped: { path, reason, detail } };
}
