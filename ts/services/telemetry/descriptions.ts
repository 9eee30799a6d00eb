import { FoundationError } from "../../base/errors.ts";
import { unknownKey } from "../../base/option-checks.ts";
import type { Metadata } from "../sinks.ts";
import type { MetricLabels } from "./series.ts";

/** What is said of a metric in advance. Defaults: {@link METRIC_DESCRIPTION_DEFAULTS}. */
export interface MetricDescription {
  /** One sentence for who reads it. Unit: text of at most 500 characters. */
  readonly help?: string;
  /**
   * Keys of the metadata that tell its series apart. Unit: words of letters, digits and `_`, at
   * most 8; `le`, `quantile`, `isolate` and `overflow` are taken.
   */
  readonly labels?: readonly string[];
  /**
   * Upper bounds of the buckets that its distributions are shown in, ascending; without them
   * quantiles are. Unit: that of the values, at most 64 of them.
   */
  readonly buckets?: readonly number[];
}

/** What is taken of a metric that nobody described. */
export const METRIC_DESCRIPTION_DEFAULTS: Required<MetricDescription> = Object.freeze({
  help: "", // an exporter then says the name
  labels: Object.freeze([]) as readonly string[], // who measures knows what has few values
  buckets: Object.freeze([]) as readonly number[], // quantiles need no bounds
});

/** The labels of what has no room: as OpenTelemetry does it. */
export const OVERFLOW_LABELS: MetricLabels = Object.freeze({ overflow: "true" });

const LABELS_MAX = 8;
const BUCKETS_MAX = 64;
const HELP_LENGTH_MAX = 500;
/** A longer value is cut. */
const VALUE_LENGTH_MAX = 200;

const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const TAKEN: ReadonlySet<string> = new Set(["le", "quantile", "isolate", "overflow"]);

/**
 * A description, checked and complete.
 *
 * @throws FoundationError `invalid_argument`
 */
export function checkDescription(given: MetricDescription): Required<MetricDescription> {
  if (typeof given !== "object" || given === null) throw refused("it must be an object");
  const unknown = unknownKey("a description", given, Object.keys(METRIC_DESCRIPTION_DEFAULTS));
  if (unknown !== undefined) throw refused(unknown.text);
  const { help, labels, buckets } = { ...METRIC_DESCRIPTION_DEFAULTS, ...given };
  if (typeof help !== "string" || help.length > HELP_LENGTH_MAX) {
    throw refused(`help is a text of at most ${HELP_LENGTH_MAX} characters`);
  }
  checkLabels(labels);
  checkBuckets(buckets);
  return Object.freeze({
    help,
    labels: Object.freeze([...labels]),
    buckets: Object.freeze([...buckets]),
  });
}

function checkLabels(labels: readonly string[]): void {
  if (!Array.isArray(labels) || labels.length > LABELS_MAX) {
    throw refused(`labels are a list of at most ${LABELS_MAX} words`);
  }
  for (const label of labels) {
    const isWord = typeof label === "string" && LABEL.test(label) && !TAKEN.has(label);
    if (!isWord) throw refused(`'${String(label)}' cannot be a label`);
  }
  if (new Set(labels).size < labels.length) throw refused("a label stands there twice");
}

function checkBuckets(buckets: readonly number[]): void {
  const isList = Array.isArray(buckets) && buckets.length <= BUCKETS_MAX;
  const isAscending =
    isList &&
    buckets.every((bound: number, at) => {
      return Number.isFinite(bound) && (at === 0 || bound > (buckets[at - 1] as number));
    });
  if (!isAscending) throw refused(`buckets are at most ${BUCKETS_MAX} ascending numbers`);
}

/** One text for the values of the labels; the values themselves where they are asked for. */
export function labelKey(labels: readonly string[], metadata: Metadata): string {
  if (labels.length === 1) return labelValue(metadata[labels[0] as string]);
  return labels.map((label) => labelValue(metadata[label])).join("\u0000");
}

/** The labels of an event. */
export function labelsOf(labels: readonly string[], metadata: Metadata): MetricLabels {
  return Object.fromEntries(labels.map((label) => [label, labelValue(metadata[label])]));
}

function labelValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > VALUE_LENGTH_MAX ? value.slice(0, VALUE_LENGTH_MAX) : value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    default:
      return ""; // no label, as an empty one is for Prometheus
  }
}

function refused(reason: string): FoundationError {
  return new FoundationError("invalid_argument", `the description of a metric: ${reason}`);
}
