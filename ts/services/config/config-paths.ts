import { FoundationError } from "../../base/errors.ts";
import { isForbiddenKey, type PlainObject } from "../toolkit/nested.ts";

const SEGMENTS_MAX = 50;
const SEGMENT_LENGTH_MAX = 255;

/** Texts that no name of a setting contains, and attacks do. */
const SUSPICIOUS = /\.\.\/|etc\/passwd|drop table|<script|eval_string|__struct__|__info__/i;

/** The same path in camelCase, as keys are written here. */
export function canonicalPath(path: readonly string[]): readonly string[] {
  return path.map(camelCase);
}

/** `sampling_rate` as `samplingRate`; what has no underscore within stays as it is. */
export function camelCase(key: string): string {
  return key.replace(/(?<=.)_([a-z0-9])/g, (_whole, letter: string) => letter.toUpperCase());
}

/**
 * Refuses a path that could do harm.
 *
 * @throws FoundationError `security_violation` (1000)
 */
export function checkPath(path: unknown): asserts path is readonly string[] {
  if (!Array.isArray(path)) throw violation("a path is a list of names");
  if (path.length > SEGMENTS_MAX) throw violation(`a path has at most ${SEGMENTS_MAX} names`);
  for (const segment of path as unknown[]) {
    if (typeof segment !== "string") throw violation("the names of a path are texts");
    const isHarmless =
      segment.length <= SEGMENT_LENGTH_MAX && !isForbiddenKey(segment) && !SUSPICIOUS.test(segment);
    if (!isHarmless) throw violation("a name of the path is none that a setting can have");
  }
}

function violation(message: string): FoundationError {
  return new FoundationError("security_violation", message, {
    numericCode: 1000,
    context: { operation: "config path" },
  });
}

const MISSING = Symbol("nothing there");

/** What lies at a path of a configuration, or `undefined` where nothing does. */
export function valueAt(
  config: PlainObject,
  path: readonly string[],
): { readonly value: unknown } | undefined {
  const value = walk(config, path);
  if (value !== MISSING) return { value };
  const aliased = walk(config, canonicalPath(path));
  return aliased === MISSING ? undefined : { value: aliased };
}

function walk(config: PlainObject, path: readonly string[]): unknown {
  let at: unknown = config;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return MISSING;
    at = (at as PlainObject)[key];
  }
  return at;
}
