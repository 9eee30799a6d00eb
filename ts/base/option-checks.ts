import { FoundationError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** What to say of the first key that nobody knows; undefined where all are known. */
export function unknownKey(
  where: string,
  options: object,
  known: readonly string[],
): { readonly key: string; readonly text: string } | undefined {
  const key = Object.keys(options).find((one) => !known.includes(one));
  if (key === undefined) return undefined;
  const guess = nearest(key, known);
  const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
  return { key, text: `unknown option '${key}' in ${where}${hint}` };
}

/**
 * Checks that options are an object without a key that nobody knows.
 *
 * @throws FoundationError `invalid_options`, with the known key that is nearest
 */
export function checkKeys(where: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new FoundationError("invalid_options", `${where} must be an object`);
  }
  const unknown = unknownKey(where, options, known);
  if (unknown === undefined) return;
  const { key, text } = unknown;
  throw new FoundationError("invalid_options", text, { context: { key } });
}

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

/** Longest time that a timer of Node takes: 24.8 days. Unit: ms. */
export const DELAY_MS_MAX = 0x7fff_ffff;

/**
 * Checks a time to wait, in milliseconds.
 *
 * @throws FoundationError `invalid_options` where it is no number from 0 to {@link DELAY_MS_MAX}
 */
export function checkDelay(name: string, value: number): number {
  if (typeof value === "number" && value >= 0 && value <= DELAY_MS_MAX) return value;
  const text = `${name} must be a number of milliseconds from 0 to ${DELAY_MS_MAX}, not ${value}`;
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

/**
 * Checks something that has to be there: a function, a list, bytes.
 *
 * @throws FoundationError `invalid_options` where `isRight` is false
 */
export function checkKind(name: string, isRight: boolean, kind: string): void {
  if (!isRight) throw new FoundationError("invalid_options", `${name} must be ${kind}`);
}

/**
 * Checks a list of names.
 *
 * @throws FoundationError `invalid_options` where it is none
 */
export function checkNames(name: string, value: readonly string[]): void {
  const areNames = Array.isArray(value) && value.every((one) => typeof one === "string");
  checkKind(name, areNames, "a list of names");
}

/** Whether the system can take it for the path of something. */
export function isPath(value: unknown): value is string {
  return typeof value === "string" && /^[^\0]+$/.test(value);
}
