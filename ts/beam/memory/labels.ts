import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys, checkKind, checkWord } from "../../base/option-checks.ts";

/** Labels of one series of a metric. */
export type Labels = Readonly<Record<string, string>>;

/** What becomes of a label set for which there is no room. */
export type LabelOverflow = "error" | "fold";

const OVERFLOWS: readonly LabelOverflow[] = ["error", "fold"];

/** Bounds of a label guard. Defaults: {@link LABEL_DEFAULTS}. */
export interface LabelOptions {
  /** Most different label sets, the overflow one not counted. Unit: sets. */
  readonly seriesMax?: number;
  /** Longest label set, names and values in UTF-8; a longer one overflows. Unit: bytes. */
  readonly seriesBytesMax?: number;
  /** `fold`: one set stands for all that overflow. `error`: they are refused. */
  readonly overflow?: LabelOverflow;
  /** The set that stands for all that overflow. */
  readonly overflowLabels?: Labels;
}

/** Bounds of a label guard unless the options say otherwise. */
export const LABEL_DEFAULTS: Required<LabelOptions> = Object.freeze({
  seriesMax: 2_000, // as many as the metrics of OpenTelemetry allow by default
  seriesBytesMax: 4_096, // far above what a person reads
  overflow: "fold", // a metric must not end the request that it counts
  overflowLabels: Object.freeze({ overflow: "true" }), // says what it is
});

/** What a label guard knows, and what it did since it began. */
export interface LabelCounts {
  /** Different label sets that were let in. */
  readonly series: number;
  readonly seriesMax: number;
  /** Calls that were answered with their own set. */
  readonly passed: number;
  /** Calls that were answered with the overflow set. */
  readonly folded: number;
  /** Calls that were refused. */
  readonly refused: number;
}

/** Keeps label sets that come from outside from becoming ever more series. */
export class LabelGuard {
  readonly #limits: Required<LabelOptions>;
  readonly #known = new Set<string>();
  #passed = 0;
  #folded = 0;
  #refused = 0;

  /** @throws FoundationError `invalid_options` */
  constructor(options: LabelOptions = {}) {
    checkKeys("the options of a label guard", options, Object.keys(LABEL_DEFAULTS));
    const limits = { ...LABEL_DEFAULTS, ...options };
    checkCount("seriesMax", limits.seriesMax);
    checkCount("seriesBytesMax", limits.seriesBytesMax);
    checkWord("overflow", limits.overflow, OVERFLOWS);
    checkObject("overflowLabels", limits.overflowLabels);
    bytesOf(limits.overflowLabels);
    limits.overflowLabels = Object.freeze({ ...limits.overflowLabels });
    this.#limits = Object.freeze(limits);
  }

  /**
   * Answers the very label set where it is known or there is room for it, else the overflow set.
   * The order of the labels makes no difference.
   *
   * @throws FoundationError `series_full` where `overflow` is `error`; `invalid_options` for what
   *   is no object of texts
   */
  admit(labels: Labels): Labels {
    const { seriesMax, seriesBytesMax, overflow, overflowLabels } = this.#limits;
    checkObject("labels", labels);
    const key = keyOf(labels);
    const isKnown = this.#known.has(key);
    if (isKnown || (this.#known.size < seriesMax && bytesOf(labels) <= seriesBytesMax)) {
      this.#known.add(key);
      this.#passed++;
      return labels;
    }
    if (overflow === "fold") {
      this.#folded++;
      return overflowLabels;
    }
    this.#refused++;
    const context = { series: this.#known.size, seriesMax, seriesBytesMax };
    const text = `no room for another label set: ${context.series} of ${seriesMax} are known`;
    throw new FoundationError("series_full", text, { context });
  }

  /** What it knows and did. */
  counts(): LabelCounts {
    return {
      series: this.#known.size,
      seriesMax: this.#limits.seriesMax,
      passed: this.#passed,
      folded: this.#folded,
      refused: this.#refused,
    };
  }
}

/** One text for all orders of the same labels; no value can pass for another label. */
function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkObject(name: string, labels: Labels): void {
  checkKind(name, typeof labels === "object" && labels !== null, "an object of texts");
}

/** Throws for a label that is no text. */
function bytesOf(labels: Labels): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(labels)) {
    checkKind(`the label '${name}'`, typeof value === "string", "a text");
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}
