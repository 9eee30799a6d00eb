import type { Writable } from "node:stream";
import { Wait, type WaitOptions } from "./deadline.ts";
import { FoundationError } from "./errors.ts";

/** What one system call takes: IOV_MAX of Linux, macOS and the BSDs. Unit: parts. */
const PARTS_MAX = 1_024;
/** What lies in a stream before the next ones are given to it; a larger part goes alone. */
const BYTES_MAX = 1 << 20;

/** Writes parts in order, as few vectored writes; see `IoList.writeTo`. */
export async function writeVectored(
  stream: Writable,
  parts: readonly Uint8Array[],
  options: WaitOptions,
): Promise<void> {
  let isOver = false;
  const late = (): string => `not written within ${options.timeoutMs} ms`;
  const wait = new Wait<void>(options, "timeout", late, () => {
    isOver = true;
  });
  const writeAll = async (): Promise<void> => {
    for (let from = 0; from < parts.length && !isOver; ) {
      const end = endOfWrite(parts, from);
      await writeOnce(stream, parts, from, end);
      from = end;
    }
  };
  writeAll().then(
    () => wait.resolve(),
    (thrown: unknown) => wait.reject(thrown),
  );
  return wait.promise;
}

function endOfWrite(parts: readonly Uint8Array[], from: number): number {
  let bytes = 0;
  let end = from;
  for (; end < parts.length && end - from < PARTS_MAX; end++) {
    bytes += parts[end]?.byteLength ?? 0;
    if (end > from && bytes > BYTES_MAX) break;
  }
  return end;
}

/** Corked, so that the stream gets them in one call; resolves when it has taken the last. */
async function writeOnce(
  stream: Writable,
  parts: readonly Uint8Array[],
  from: number,
  end: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const taken = (error: Error | null | undefined): void => {
      if (error === null || error === undefined) return resolve();
      const options = { cause: error };
      reject(new FoundationError("write_failed", "the stream did not take the bytes", options));
    };
    stream.cork();
    for (let index = from; index < end - 1; index++) stream.write(parts[index]);
    stream.write(parts[end - 1], taken);
    stream.uncork();
  });
}
