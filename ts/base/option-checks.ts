import { FoundationError } from "./errors.ts";

/**
 * Checks an option that counts something.
 *
 * @throws FoundationError `invalid_options` where it is no whole number of at least `least`
 */
export function checkCount(name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  const text = `${name} must be a whole number of at least ${least}, not ${value}`;
  throw new FoundationError("invalid_options", text);
}

/**
 * Checks an option that picks one of some words.
 *
 * @throws FoundationError `invalid_options` where it is none of them
 */
export function checkWord<Word extends string>(
  name: string,
  value: Word,
  words: readonly Word[],
): Word {
  if (words.includes(value)) return value;
  const text = `${name} must be one of ${words.join(", ")}, not '${value}'`;
  throw new FoundationError("invalid_options", text);
}
