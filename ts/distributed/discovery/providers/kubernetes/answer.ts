import { tooLong } from "../../lines.ts";

/** Most bytes of a page of a list, and of one line of a watch. Unit: bytes. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** What to do about longer ones. */
export const TOO_LONG_REMEDY = "narrow the selector or lower pageItems";

/** The whole lines of each piece of an answer as it arrives; throws where it ends within one. */
export async function* readLines(
  response: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<readonly string[]> {
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const end = chunk.lastIndexOf(10) + 1;
    if (end > 0) {
      const text = Buffer.concat([...begun, chunk.subarray(0, end)]).toString();
      begun = [];
      bytes = 0;
      yield text.split("\n").filter((line) => line.trim() !== "");
    }
    if (end < chunk.length) begun.push(chunk.subarray(end));
    bytes += chunk.length - end;
    if (bytes > bytesMax) throw tooLong("a line", bytesMax, TOO_LONG_REMEDY);
  }
  if (bytes > 0) throw new Error("the answer ended in the middle of a line");
}
