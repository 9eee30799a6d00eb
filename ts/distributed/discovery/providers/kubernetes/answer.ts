/** Most bytes of a page of a list, and of one line of a watch. Unit: bytes. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** Reads an answer to its end; throws where it is longer than that, or is cut off. */
export async function readText(response: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLong("an answer", bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

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
    if (bytes > bytesMax) throw tooLong("a line", bytesMax);
  }
  if (bytes > 0) throw new Error("the answer ended in the middle of a line");
}

function tooLong(what: string, bytesMax: number): Error {
  const text = `${what} has more than ${bytesMax} bytes; narrow the selector or lower pageItems`;
  return new Error(text);
}

/** What a text of JSON says; the error does not repeat what may be anything. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Error("its answer is no JSON", { cause: thrown });
  }
}
