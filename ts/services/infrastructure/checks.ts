import { type ErrorFacts, FoundationError } from "../../base/errors.ts";
import { unknownKey } from "../../base/option-checks.ts";

/** Longest name of a breaker, a pool or a protection. Unit: UTF-16 code units. */
export const NAME_LENGTH_MAX = 255;

/** Makes the error of an argument that cannot be used. */
export type Refuse = (text: string, context: ErrorFacts) => FoundationError;

/** The error of options that belong to no code of Foundation 1.x. */
export const refuseOptions: Refuse = (text, context) =>
  new FoundationError("invalid_options", text, { context });

/** Whether a value is an object with fields, and no list or function. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value can be the name of something that is looked up by it. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= NAME_LENGTH_MAX;
}

/** Checks a whole number within bounds; throws what `refuse` makes. */
export function wholeNumber(
  name: string,
  value: unknown,
  [least, most]: readonly [least: number, most: number],
  refuse: Refuse = refuseOptions,
): number {
  const isWhole = Number.isSafeInteger(value);
  if (isWhole && (value as number) >= least && (value as number) <= most) return value as number;
  const text = `${name} must be a whole number from ${least} to ${most}, not ${String(value)}`;
  throw refuse(text, { name });
}

/** Checks a number within bounds; throws what `refuse` makes. */
export function numberWithin(
  name: string,
  value: unknown,
  [least, most]: readonly [least: number, most: number],
  refuse: Refuse = refuseOptions,
): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw refuse(`${name} must be a number from ${least} to ${most}, not ${String(value)}`, { name });
}

/** Checks that options are an object with known keys; throws what `refuse` makes. */
export function knownKeys(
  where: string,
  value: unknown,
  known: readonly string[],
  refuse: Refuse = refuseOptions,
): void {
  if (!isRecord(value)) throw refuse(`${where} must be an object`, { where });
  const unknown = unknownKey(where, value, known);
  if (unknown !== undefined) throw refuse(unknown.text, { where, key: unknown.key });
}
