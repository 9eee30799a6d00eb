import { FoundationError } from "../../base/errors.ts";
import { isForbiddenKey, isPlainObject } from "../toolkit/nested.ts";
import { isSecretName, redact } from "./redaction.ts";

const TEXT_BYTES_MAX = 1_000_000;
const DEPTH_MAX = 20;

/**
 * Refuses a value that could do harm: code, what hides behaviour or refers to itself, what is too
 * deep or too large.
 *
 * @throws FoundationError `security_violation` (1005)
 */
export function checkValue(value: unknown): void {
  inspect(value, 0, new Set());
}

function inspect(value: unknown, depth: number, outer: Set<object>): void {
  if (typeof value === "function") throw violation("a function is no setting");
  if (typeof value === "symbol") throw violation("a symbol is no setting");
  if (typeof value === "string") {
    const isShort = value.length <= TEXT_BYTES_MAX && Buffer.byteLength(value) <= TEXT_BYTES_MAX;
    if (!isShort) throw violation(`a text has at most ${TEXT_BYTES_MAX} bytes`);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (depth >= DEPTH_MAX) throw violation(`a value is at most ${DEPTH_MAX} levels deep`);
  if (outer.has(value)) throw violation("a value must not contain itself");
  if (!Array.isArray(value) && !isPlainObject(value)) {
    throw violation("settings are plain objects, lists, texts, numbers and switches");
  }
  outer.add(value);
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (isForbiddenKey(key)) throw violation("a key of the value would reach a prototype");
    if (!("value" in descriptor)) throw violation("a setting has no getters and setters");
    inspect(descriptor.value, depth + 1, outer);
  }
  outer.delete(value);
}

function violation(message: string): FoundationError {
  return new FoundationError("security_violation", message, {
    numericCode: 1005,
    context: { operation: "config value" },
  });
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * A copy of plain data that nobody can change. Where it has secrets `console.log` shows none of
 * them.
 */
export function frozenCopy<T>(value: T): T {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  if (!isPlainObject(value)) return value;
  // Not by assignment: a key `__proto__` would become the prototype.
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, frozenCopy(inner)]),
  );
  if (Object.keys(copy).some((key) => isSecretName(key) && copy[key] !== null)) {
    Object.defineProperty(copy, INSPECT, { value: () => redact(copy) });
  }
  return Object.freeze(copy) as T;
}
