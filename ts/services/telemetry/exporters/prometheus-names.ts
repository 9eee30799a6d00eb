import type { TelemetryName } from "../../sinks.ts";

/** What kind of numbers a family of samples has. */
export type FamilyType = "counter" | "gauge" | "summary" | "histogram";

/** What else samples of a family are called. */
const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  summary: ["", "_sum", "_count"],
  histogram: ["", "_sum", "_count", "_bucket"],
};

/** How measurements of these names are called behind the name of their metric. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["counter", "total"],
  ["count", "count_total"],
  ["gauge", ""],
  ["histogram", ""],
  ["duration", "duration_seconds"],
]);

/**
 * Names of Prometheus for metrics: letters, digits and `_`. Where two metrics would get the same
 * one, the later keeps its measurement in it, or a number made of its own name.
 */
export class FamilyNames {
  readonly #taken: Set<string>;

  /** `taken`: names that somebody else has. */
  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  /** A name for a measurement of a metric. */
  nameOf(metric: TelemetryName, key: string, type: FamilyType): string {
    const base = sanitized(metric.join("_"));
    const suffix = KEYS.get(key) ?? sanitized(key);
    const plain = base.endsWith(`_${suffix}`) || suffix === "" ? base : `${base}_${suffix}`;
    const tail = type === "counter" ? "_total" : "";
    const root = tail === "" ? plain : plain.replace(/_total$/, "");
    const marks = ["", `_${sanitized(key)}`, `_${hashOf([...metric, key].join("\u0000"))}`];
    const names = marks.map((mark) => `${root}${mark}`);
    const free = names.find((name) => this.#isFree(name, type)) ?? (names[2] as string);
    for (const suffixOfType of SUFFIXES[type]) this.#taken.add(`${free}${suffixOfType}`);
    this.#taken.add(`${free}${tail}`);
    return `${free}${tail}`;
  }

  // A counter takes both: OpenMetrics names its family without `_total`.
  #isFree(name: string, type: FamilyType): boolean {
    const own = SUFFIXES[type].map((suffix) => `${name}${suffix}`);
    if (type === "counter") own.push(`${name}_total`);
    return !own.some((one) => this.#taken.has(one));
  }
}

function sanitized(text: string): string {
  const safe = text.replace(/[^a-zA-Z0-9_]/g, "_");
  return /^[a-zA-Z_]/.test(safe) ? safe : `_${safe}`;
}

/** FNV-1a: the same for the same name in every run. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}
