import type { TelemetryName } from "../../sinks.ts";
import type { MeasuredKind } from "../series.ts";
import type { MetricSums, SeriesSum } from "../series-sum.ts";
import type {
  OtelAttributes,
  OtelCallback,
  OtelInstrument,
  OtelMeter,
} from "./open-telemetry-options.ts";

/** Instruments are for ever: names that come and go must not make ever more of them. */
const INSTRUMENTS_MAX = 10_000;
const WITHOUT = "foundation.telemetry.measurements_without_instrument";
const QUANTILES = [0.5, 0.9, 0.99];

/** Observes the series of a metric. */
type Observe = (series: SeriesSum, see: (value: number, more?: OtelAttributes) => void) => void;

interface Placed {
  readonly instrument: OtelInstrument;
  readonly callback: OtelCallback;
}

/** Has an observable instrument for each measurement of each metric. */
export class Instruments {
  readonly #meter: OtelMeter;
  readonly #collect: () => Promise<MetricSums>;
  readonly #placed: Placed[] = [];
  readonly #known = new Set<string>();
  readonly #names = new Set<string>([WITHOUT]);
  #underWay: Promise<MetricSums> | undefined;
  #without = 0;

  /** `collect` reads the metrics, once for all instruments that are observed at a time. */
  constructor(meter: OtelMeter, collect: () => Promise<MetricSums>) {
    this.#meter = meter;
    this.#collect = collect;
    const description = "Measurements of metrics that there was no room for an instrument for";
    const instrument = meter.createObservableGauge(WITHOUT, { description });
    // Always there, so that metrics that only other isolates have are seen.
    this.#add(instrument, async (result) => {
      this.learn(await this.#sums());
      result.observe(this.#without);
    });
  }

  /** Makes the instruments of what is new. */
  learn(sums: MetricSums): void {
    this.#without = 0;
    for (const metric of sums.values()) {
      for (const one of metric.series) {
        for (const key of one.sums.keys()) this.place(metric.name, key, "sum");
        if (one.gauges.size > 0) this.place(metric.name, "gauge", "gauge");
        for (const key of one.sketches.keys()) this.place(metric.name, key, "sketch");
      }
    }
  }

  /** Makes the instruments of a measurement, unless they are there. */
  place(metric: TelemetryName, key: string, kind: MeasuredKind): void {
    const id = [...metric, "", key].join("\u0000");
    if (this.#known.has(id)) return;
    if (this.#placed.length >= INSTRUMENTS_MAX) {
      this.#without += 1;
      return;
    }
    this.#known.add(id);
    if (kind === "gauge") this.#placeGauge(metric);
    else if (kind === "sum") this.#placeSum(metric, key);
    else this.#placeSketch(metric, key);
  }

  /** Takes all of them back. */
  end(): void {
    for (const { instrument, callback } of this.#placed) instrument.removeCallback(callback);
    this.#placed.length = 0;
  }

  #placeGauge(metric: TelemetryName): void {
    const instrument = this.#meter.createObservableGauge(...this.#named(metric, "", "gauge"));
    this.#observe(instrument, metric, ({ gauges }, see) => {
      for (const [isolate, { value }] of gauges) see(value, isolate === "" ? {} : { isolate });
    });
  }

  #placeSum(metric: TelemetryName, key: string): void {
    const suffix = key === "counter" ? "" : `.${key}`;
    const instrument = this.#meter.createObservableCounter(...this.#named(metric, suffix, key));
    this.#observe(instrument, metric, ({ sums }, see) => {
      const value = sums.get(key);
      if (value !== undefined) see(value);
    });
  }

  #placeSketch(metric: TelemetryName, key: string): void {
    const suffix = key === "histogram" ? "" : `.${key}`;
    const counted = this.#named(metric, `${suffix}.count`, key);
    const count = this.#meter.createObservableCounter(...counted);
    this.#observe(count, metric, ({ sketches }, see) => {
      const sketch = sketches.get(key);
      if (sketch !== undefined) see(sketch.count);
    });
    // Values may be negative, so their sum is no counter.
    const summed = this.#named(metric, `${suffix}.sum`, key);
    const sum = this.#meter.createObservableUpDownCounter(...summed);
    this.#observe(sum, metric, ({ sketches }, see) => {
      const sketch = sketches.get(key);
      if (sketch !== undefined) see(sketch.sum);
    });
    const quantiles = this.#meter.createObservableGauge(...this.#named(metric, suffix, key));
    this.#observe(quantiles, metric, ({ sketches }, see) => {
      const sketch = sketches.get(key);
      for (const quantile of sketch === undefined ? [] : QUANTILES) {
        see(sketch?.quantile(quantile) as number, { quantile });
      }
    });
  }

  #observe(instrument: OtelInstrument, metric: TelemetryName, observe: Observe): void {
    this.#add(instrument, async (result) => {
      const series = (await this.#sums()).get(metric)?.series ?? [];
      for (const one of series) {
        observe(one, (value, more) => result.observe(value, { ...one.labels, ...more }));
      }
    });
  }

  #add(instrument: OtelInstrument, callback: OtelCallback): void {
    instrument.addCallback(callback);
    this.#placed.push({ instrument, callback });
  }

  /** A name that no other instrument has, and its description. */
  #named(metric: TelemetryName, suffix: string, key: string): [string, { description: string }] {
    const dotted = metric.join(".");
    const safe = `${dotted}${suffix}`.replace(/[^a-zA-Z0-9_.\-/]/g, "_").slice(0, 200);
    const plain = /^[a-zA-Z]/.test(safe) ? safe : `m${safe}`;
    let free = plain;
    for (let again = 1; this.#names.has(free); again++) {
      free = again === 1 ? `${plain}.${key}` : `${plain}.${key}.${again}`;
    }
    this.#names.add(free);
    return [free, { description: dotted }];
  }

  async #sums(): Promise<MetricSums> {
    this.#underWay ??= this.#collect().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }
}
