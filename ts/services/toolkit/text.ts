const CONTROL = /[\p{Cc}\p{Cf}]/gu;

/** A text without control and format characters, trimmed, at most `charactersMax` (1,000) long. */
export function sanitizeString(text: string, charactersMax = 1_000): string {
  return text.replace(CONTROL, "").trim().slice(0, charactersMax);
}

/** Nothing to speak of: undefined, null, a text of spaces, an empty array, map, set or object. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return lengthOf(value) === 0;
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  if (typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain && Object.keys(value).length === 0;
}

function lengthOf(value: readonly unknown[] | ArrayBufferView): number {
  return Array.isArray(value) ? value.length : (value as ArrayBufferView).byteLength;
}

/** The opposite of {@link isBlank}. */
export function isPresent(value: unknown): boolean {
  return !isBlank(value);
}

const DURATION_UNITS: readonly [string, number][] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["μs", 1e3],
];

/** A duration for people: "1.5s", "2.5ms", "750.0μs", "12ns". `ns`: unit ns. */
export function formatDuration(ns: number): string {
  for (const [unit, size] of DURATION_UNITS) {
    if (ns >= size) return `${(ns / size).toFixed(1)}${unit}`;
  }
  return `${Math.round(ns)}ns`;
}

const BYTE_UNITS: readonly [string, number][] = [
  ["TB", 2 ** 40],
  ["GB", 2 ** 30],
  ["MB", 2 ** 20],
  ["KB", 2 ** 10],
];

/** An amount of memory for people: "512 B", "1.5 KB"; 1 KB is 1,024 bytes. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of BYTE_UNITS) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}
