import type { MetricSum, MetricSums, SeriesSum } from "../series-sum.ts";
import type { Sketch } from "../sketch.ts";
import { FamilyNames, type FamilyType } from "./prometheus-names.ts";

/** A line of the exposition. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Name of the line where it is not that of its family. */
  readonly metricName?: string;
}

/** Lines with one name, type and help. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly values: readonly Sample[];
}

const QUANTILES = [0.5, 0.9, 0.99];
/** The measurement `duration` is in ms; Prometheus has seconds. */
const SECONDS_PER_MS = 0.001;

/** What all series of one measurement have in common. */
interface Plan {
  readonly name: string;
  readonly scale: number;
  readonly buckets: readonly number[];
}

/**
 * The families of metrics, by name: sums are counters, gauges have their isolate as a label,
 * distributions are summaries, or histograms where they were described with buckets.
 */
export function familiesOf(sums: MetricSums, taken: Iterable<string> = []): Family[] {
  const names = new FamilyNames(taken);
  const metrics = [...sums.values()].sort((a, b) => compare(a.name.join("."), b.name.join(".")));
  return metrics.flatMap((metric) => familiesOfMetric(metric, names));
}

function familiesOfMetric(metric: MetricSum, names: FamilyNames): Family[] {
  const { series, name } = metric;
  const help = series.map(({ description }) => description?.help).find(Boolean) ?? name.join(".");
  const buckets = series.map(({ description }) => description?.buckets ?? []).find(hasAny) ?? [];
  const family = (key: string, type: FamilyType, samplesOf: (plan: Plan) => Sample[]): Family => {
    const plan: Plan = {
      name: names.nameOf(name, key, type),
      scale: key === "duration" ? SECONDS_PER_MS : 1,
      buckets,
    };
    return { name: plan.name, help, type, values: samplesOf(plan) };
  };
  const shape = buckets.length > 0 ? "histogram" : "summary";
  return [
    ...keysOf(series, ({ sums }) => sums).map((key) => {
      return family(key, "counter", () => series.flatMap((one) => sumSamples(one, key)));
    }),
    ...(series.some(({ gauges }) => gauges.size > 0)
      ? [family("gauge", "gauge", () => series.flatMap(gaugeSamples))]
      : []),
    ...keysOf(series, ({ sketches }) => sketches).map((key) => {
      return family(key, shape, (plan) => series.flatMap((one) => sketchSamples(one, key, plan)));
    }),
  ];
}

function keysOf(
  series: readonly SeriesSum[],
  mapOf: (one: SeriesSum) => ReadonlyMap<string, unknown>,
): string[] {
  return [...new Set(series.flatMap((one) => [...mapOf(one).keys()]))].sort(compare);
}

function sumSamples({ labels, sums }: SeriesSum, key: string): Sample[] {
  const value = sums.get(key);
  return value === undefined ? [] : [{ labels, value }];
}

function gaugeSamples({ labels, gauges }: SeriesSum): Sample[] {
  return [...gauges].map(([isolate, { value }]) => {
    return { labels: isolate === "" ? labels : { ...labels, isolate }, value };
  });
}

function sketchSamples({ labels, sketches }: SeriesSum, key: string, plan: Plan): Sample[] {
  const sketch = sketches.get(key);
  if (sketch === undefined) return [];
  const { name, scale } = plan;
  return [
    ...(plan.buckets.length > 0
      ? bucketSamples(sketch, labels, plan)
      : QUANTILES.map((quantile) => {
          const value = sketch.quantile(quantile) * scale;
          return { labels: { ...labels, quantile: String(quantile) }, value };
        })),
    { labels, value: sketch.sum * scale, metricName: `${name}_sum` },
    { labels, value: sketch.count, metricName: `${name}_count` },
  ];
}

function bucketSamples(sketch: Sketch, labels: SeriesSum["labels"], plan: Plan): Sample[] {
  const { name, scale, buckets } = plan;
  const metricName = `${name}_bucket`;
  const bounded = buckets.map((bound) => {
    const le = String(bound * scale);
    return { labels: { ...labels, le }, value: sketch.countAtMost(bound), metricName };
  });
  return [...bounded, { labels: { ...labels, le: "+Inf" }, value: sketch.count, metricName }];
}

function hasAny(list: readonly number[]): boolean {
  return list.length > 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
