import { Pid } from "../../base/pid.ts";
import { safeInspect } from "../toolkit/sizes.ts";

const DEPTH_MAX = 20;
const ITEMS_MAX = 1_000;
const TEXT_MAX = 10_000;

/**
 * A copy that bytes can say, whatever the value: functions, symbols and pids become text, instances
 * of classes plain objects; what contains itself, is deep or goes on and on is cut. Never throws.
 */
export function plainCopy(value: unknown): unknown {
  return copy(value, new Set(), 0);
}

function copy(value: unknown, within: Set<object>, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
    case "function":
      return `[function ${nameOf(value)}]`;
    case "symbol":
      return `[${String(value)}]`;
    case "object":
      return value === null ? null : copyObject(value, within, depth);
    default:
      return value;
  }
}

function copyObject(value: object, within: Set<object>, depth: number): unknown {
  if (value instanceof Pid) return value.toString();
  if (value instanceof Date) return new Date(value.getTime());
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return safeInspect(value, 20);
  if (within.has(value)) return "[circular]";
  if (depth >= DEPTH_MAX) return "[deep]";
  within.add(value);
  try {
    return copyContents(value, within, depth + 1);
  } catch {
    return safeInspect(value);
  } finally {
    within.delete(value);
  }
}

function copyContents(value: object, within: Set<object>, depth: number): unknown {
  const inner = (one: unknown): unknown => copy(one, within, depth);
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map(inner);
  if (value instanceof Set) return new Set([...value].slice(0, ITEMS_MAX).map(inner));
  if (value instanceof Map) {
    const entries = [...value].slice(0, ITEMS_MAX);
    return new Map(entries.map(([key, one]) => [inner(key), inner(one)]));
  }
  if (value instanceof Error) return { name: value.name, message: inner(value.message) };
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value).slice(0, ITEMS_MAX)) {
    result[key] = copyOf(value, key, inner);
  }
  return result;
}

function copyOf(value: object, key: string, inner: (one: unknown) => unknown): unknown {
  try {
    return inner(Reflect.get(value, key));
  } catch {
    return "[cannot be read]";
  }
}

function nameOf(value: object): string {
  const name: unknown = Reflect.get(value, "name");
  return typeof name === "string" && name !== "" ? name : "anonymous";
}
