import { FoundationError } from "../../base/errors.ts";
import { nameOf, TermParser } from "./parser.ts";
import type { ElixirTerms } from "./values.ts";

/** Longest text that is read. Unit: bytes. */
const TEXT_BYTES_MAX = 1 << 20;

/**
 * Checks that a text is not too long to be read.
 *
 * @throws FoundationError `invalid_options` for more than 1 MiB
 */
export function checkLength(text: string): void {
  if (Buffer.byteLength(text) <= TEXT_BYTES_MAX) return;
  throw new FoundationError("invalid_options", `a text is read up to ${TEXT_BYTES_MAX} bytes`);
}

/** A parser of a text, whose length is checked. */
export function parserOf(text: string): TermParser {
  checkLength(text);
  return new TermParser(text);
}

/**
 * Reads a literal term of Elixir, or a keyword list without its brackets. Nothing is run: what
 * asks the environment, captures a function or puts code into a string is an `ElixirCode`.
 *
 * @throws FoundationError `invalid_options` with line and column, for what is no literal term, is
 *   more than 64 levels deep, or has more than 1 MiB
 */
export function parseElixirTerms(text: string): ElixirTerms {
  const parser = parserOf(text);
  const value = parser.peek().kind === "key" ? parser.pairs() : parser.value();
  const rest = parser.peek();
  if (rest.kind !== "end") parser.refuse(rest, `${nameOf(rest)} behind the term`);
  return termsOf(parser, value);
}

/** What a parser has read so far, as its callers have it. */
export function termsOf(parser: TermParser, value: ElixirTerms["value"]): ElixirTerms {
  return {
    value,
    repeated: parser.repeated,
    at: (container, key) => parser.at(container, key),
  };
}
