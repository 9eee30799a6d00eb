import { FoundationError } from "../../base/errors.ts";

/** A plain object, whatever its values. */
export type PlainObject = Readonly<Record<string, unknown>>;

/** Names that would reach a prototype. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

/** Whether it is an object literal, or one without a prototype: no class, array, map or date. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a name would reach a prototype, where objects are written by it. */
export function isForbiddenKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key);
}

/**
 * Both objects in one: where both have a plain object at a key, those are merged, else that of
 * `over` counts. Neither is changed.
 *
 * @throws FoundationError `security_violation` for a key that would reach a prototype
 */
export function deepMerge(base: PlainObject, over: PlainObject): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    refuse(key);
    const below = merged[key];
    const isBoth = isPlainObject(below) && isPlainObject(value);
    merged[key] = isBoth ? deepMerge(below, value) : value;
  }
  return merged;
}

/** What lies at a path of keys; `otherwise` where there is nothing. */
export function getNested(value: unknown, path: readonly string[], otherwise?: unknown): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return otherwise;
    at = (at as PlainObject)[key];
  }
  return at ?? otherwise;
}

/**
 * A copy with `value` at a path of keys; objects on the way that are missing are made.
 *
 * @throws FoundationError `invalid_path` for an empty path, `security_violation` as `deepMerge`
 */
export function putNested(
  base: PlainObject,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [key, ...rest] = path;
  if (key === undefined) throw new FoundationError("invalid_path", "a path needs a key");
  refuse(key);
  const below = base[key];
  const inner = isPlainObject(below) ? below : {};
  return { ...base, [key]: rest.length === 0 ? value : putNested(inner, rest, value) };
}

/**
 * Maps and objects as plain objects whose keys are strings, to any depth.
 *
 * @throws FoundationError `security_violation` as `deepMerge`
 */
export function stringifyKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringifyKeys);
  if (!(value instanceof Map) && !isPlainObject(value)) return value;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const result: Record<string, unknown> = {};
  for (const [key, inner] of entries) {
    const name = typeof key === "symbol" ? (key.description ?? "") : String(key);
    refuse(name);
    result[name] = stringifyKeys(inner);
  }
  return result;
}

/**
 * As {@link stringifyKeys}, but only with keys that are known; others are left out. For input from
 * outside, whose keys could be anything.
 */
export function atomizeKeys(value: unknown, known: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((inner) => atomizeKeys(inner, known));
  if (!(value instanceof Map) && !isPlainObject(value)) return value;
  const entries: Iterable<[unknown, unknown]> =
    value instanceof Map ? value : Object.entries(value);
  const result: Record<string, unknown> = {};
  for (const [key, inner] of entries) {
    const name = String(key);
    if (known.has(name) && !isForbiddenKey(name)) result[name] = atomizeKeys(inner, known);
  }
  return result;
}

function refuse(key: string): void {
  if (!isForbiddenKey(key)) return;
  const text = `'${key}' is no key that can be written`;
  throw new FoundationError("security_violation", text, { context: { key } });
}
