/** The error of an answer that is longer than what is read; `remedy` says what to do about it. */
export function tooLong(what: string, bytesMax: number, remedy?: string): Error {
  const hint = remedy === undefined ? "" : `; ${remedy}`;
  return new Error(`${what} has more than ${bytesMax} bytes${hint}`);
}

/** Reads an answer to its end; throws where it is longer than that, or is cut off. */
export async function readText(
  response: AsyncIterable<Buffer>,
  bytesMax: number,
  remedy?: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLong("the answer", bytesMax, remedy);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The lines of an answer that goes on; throws for one that is longer than that. */
export async function* readLines(
  response: AsyncIterable<Buffer>,
  bytesMax: number,
): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield Buffer.concat([...begun, chunk.subarray(start, end)]).toString();
      begun = [];
      bytes = 0;
      start = end + 1;
    }
    begun.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > bytesMax) throw tooLong("a line of the answer", bytesMax);
  }
}

/** What a text of JSON says; the error does not repeat a text that may be anything. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Error("the answer is no JSON", { cause: thrown });
  }
}

/** What stands at a path of a parsed answer; undefined where the way there is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}

/** Text at a path; undefined where there is none or it is empty. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** The list at a path; an empty one where there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}
