const SIMPLE: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  d: "\x7f",
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  s: " ",
  t: "\t",
  v: "\v",
};

const POINT = String.raw`\{([\da-fA-F]{1,6})\}`;
const DIGITS = String.raw`x${POINT}|x([\da-fA-F]{1,2})|u${POINT}|u([\da-fA-F]{4})`;
const ESCAPE = new RegExp(String.raw`\\(?:${DIGITS}|(\r?\n)|([\s\S]))`, "gu");

/**
 * The text that a string of Elixir stands for; a backslash before any other character stands for
 * that character.
 *
 * @throws RangeError for a code point that does not exist
 */
export function unescaped(raw: string): string {
  return raw.replace(ESCAPE, (_all, ...parts: (string | undefined)[]) => {
    const [wideByte, byte, wide, four, lineEnd, other] = parts;
    const digits = wideByte ?? byte ?? wide ?? four;
    if (digits !== undefined) return String.fromCodePoint(Number.parseInt(digits, 16));
    if (lineEnd !== undefined) return "";
    return SIMPLE[other as string] ?? (other as string);
  });
}

/** The lines of a heredoc without the indentation of its end. */
export function outdent(raw: string): string {
  const body = raw.replace(/^[^\n]*\n/, "");
  const indent = /[ \t]*$/.exec(body)?.[0].length ?? 0;
  const lines = body.slice(0, body.length - indent).split("\n");
  return lines
    .map((line) => (line.slice(0, indent).trim() === "" ? line.slice(indent) : line))
    .join("\n");
}
