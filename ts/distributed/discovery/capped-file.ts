import { constants, type FileHandle, open } from "node:fs/promises";
import { FoundationError } from "../../base/errors.ts";

/**
 * The bytes of a regular file, never more than a limit whatever the file says of its size.
 *
 * @throws FoundationError `discovery_failed` for a file that is longer, or none; errors of the
 *   system as they are
 */
export async function readCapped(path: string, bytesMax: number): Promise<Buffer> {
  // A pipe would wait for somebody who writes.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw refusal(`${path} is no regular file`);
    const bytes = await readAll(handle, bytesMax + 1);
    if (bytes.length > bytesMax) throw refusal(`${path} has more than ${bytesMax} bytes`);
    return bytes;
  } finally {
    await handle.close();
  }
}

function refusal(text: string): FoundationError {
  return new FoundationError("discovery_failed", text);
}

async function readAll(handle: FileHandle, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < bytesMax) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, bytesMax - total));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(chunks, total);
}
