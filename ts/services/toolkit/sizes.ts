import { inspect } from "node:util";
import { isPlainObject } from "./nested.ts";

const TEXT_PREVIEW_MAX = 100;
const ITEM_PREVIEW_MAX = 10;
const KEY_PREVIEW_MAX = 5;
const DEPTH_MAX = 64;

/** What stands for a value that was too large to keep. */
export interface Truncated {
  readonly truncated: true;
  /** Unit: bytes, as {@link deepSize} counts them. */
  readonly originalSize: number;
  /** The beginning: 100 characters, 10 items, or 5 keys. */
  readonly preview: string;
  /** When it was cut. Unit: ms since 1970. */
  readonly timestamp: number;
}

/**
 * About the bytes that a value takes when it is written: strings by their UTF-8 length, bytes by
 * theirs, numbers 8, and 8 for each entry and key. What refers to itself counts once.
 */
export function deepSize(value: unknown): number {
  return sizeOf(value, new Set(), 0);
}

function sizeOf(value: unknown, seen: Set<object>, depth: number): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (seen.has(value) || depth > DEPTH_MAX) return 8;
  seen.add(value);
  let size = 8;
  if (Array.isArray(value) || value instanceof Set) {
    for (const inner of value) size += 8 + sizeOf(inner, seen, depth + 1);
    return size;
  }
  const entries: Iterable<[unknown, unknown]> =
    value instanceof Map ? value : Object.entries(value);
  for (const [key, inner] of entries) {
    size += 8 + sizeOf(key, seen, depth + 1) + sizeOf(inner, seen, depth + 1);
  }
  return size;
}

/** The value itself, or what stands for it where it is larger than `bytesMax` (10,000). */
export function truncateIfLarge<T>(value: T, bytesMax = 10_000): T | Truncated {
  const originalSize = deepSize(value);
  if (originalSize <= bytesMax) return value;
  return { truncated: true, originalSize, preview: previewOf(value), timestamp: Date.now() };
}

function previewOf(value: unknown): string {
  if (typeof value === "string") return value.slice(0, TEXT_PREVIEW_MAX);
  if (Array.isArray(value)) {
    return `${value.length} items: ${cut(safeInspect(value.slice(0, ITEM_PREVIEW_MAX)))}`;
  }
  if (isPlainObject(value)) {
    const keys = Object.keys(value);
    return `${keys.length} keys: ${cut(keys.slice(0, KEY_PREVIEW_MAX).join(", "))}`;
  }
  return cut(safeInspect(value));
}

function cut(text: string): string {
  return text.length > TEXT_PREVIEW_MAX ? `${text.slice(0, TEXT_PREVIEW_MAX)}…` : text;
}

/** A value as text, at most `itemsMax` (100) items of each collection; never throws. */
export function safeInspect(value: unknown, itemsMax = 100): string {
  try {
    return inspect(value, { maxArrayLength: itemsMax, maxStringLength: 10_000, depth: 5 });
  } catch {
    return `[${typeof value} that cannot be shown]`;
  }
}
