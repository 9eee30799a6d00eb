import * as api from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt } from "../../ts/base/errors.ts";
import { bridge } from "../../ts/services/telemetry/exporters/open-telemetry.ts";
import { planOpenTelemetry } from "../../ts/services/telemetry/exporters/open-telemetry-options.ts";
import type { Telemetry } from "../../ts/services/telemetry/telemetry.ts";
import { telemetryScene as scene } from "./telemetry-scene.ts";
import { codeOf } from "./thrown-code.ts";

/** Reads metrics when a test asks for them, and never else. */
class AskedReader extends MetricReader {
  override async onForceFlush(): Promise<void> {}
  override async onShutdown(): Promise<void> {}
}

let exporter: InMemorySpanExporter;
let tracers: NodeTracerProvider;
let meters: MeterProvider;
let reader: AskedReader;

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  tracers = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  tracers.register();
  reader = new AskedReader();
  meters = new MeterProvider({ readers: [reader] });
  api.metrics.setGlobalMeterProvider(meters);
});

afterEach(async () => {
  await Promise.all([tracers.shutdown(), meters.shutdown()]);
  for (const part of [api.trace, api.metrics, api.context, api.propagation]) part.disable();
});

/** Every point of a collection: its name, attributes and value. */
async function points(): Promise<readonly (readonly [string, object, unknown])[]> {
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => {
    return metrics.flatMap(({ descriptor, dataPoints }) => {
      return dataPoints.map(
        ({ attributes, value }) => [descriptor.name, attributes, value] as const,
      );
    });
  });
}

async function attached(options = {}): Promise<{ telemetry: Telemetry; detach: () => void }> {
  const { telemetry } = scene();
  return { telemetry, detach: await telemetry.attachOpenTelemetry(options) };
}

describe("what is measured is a span", () => {
  test("with metadata as attributes, and nested in the one around it across await", async () => {
    const { telemetry } = await attached();
    const metadata = { path: "/", tries: 2, ids: [1, 2], mixed: [1, "a"], none: null, deep: {} };
    const result = await telemetry.measure(["http", "request"], metadata, async () => {
      await Promise.resolve();
      const inner = telemetry.measure(["db", "query"], {}, () => 6);
      await new Promise((resolve) => setImmediate(resolve));
      return inner + telemetry.measure(["cache"], {}, () => 1);
    });
    expect(result).toBe(7);
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name)).toEqual(["db.query", "cache", "http.request"]);
    const [query, cache, request] = spans;
    expect(request?.attributes).toEqual({ path: "/", tries: 2, ids: [1, 2] });
    const parent = request?.spanContext().spanId;
    expect([query, cache].map((span) => span?.parentSpanContext?.spanId)).toEqual([parent, parent]);
    expect(request?.parentSpanContext).toBeUndefined();
    expect(telemetry.getMetricsFlat().get("http.request.stop")?.count).toBe(1);
  });

  test("of which two at the same time stay apart", async () => {
    const { telemetry } = await attached();
    const one = async (name: string): Promise<void> => {
      await telemetry.measure([name], {}, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        telemetry.measure([name, "inner"], {}, () => {});
      });
    };
    await Promise.all([one("a"), one("b")]);
    const spans = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
    for (const name of ["a", "b"]) {
      const inner = spans.get(`${name}.inner`)?.parentSpanContext?.spanId;
      expect(inner).toBe(spans.get(name)?.spanContext().spanId);
    }
  });

  test("with words for what has no text, which is thrown on as it is", async () => {
    const { telemetry } = await attached();
    const thrown: unknown = Object.create(null);
    const failing = (): never => {
      throw thrown;
    };
    expect(attempt(() => telemetry.measure(["textless"], {}, failing))).toEqual({
      ok: false,
      error: thrown,
    });
    expect(exporter.getFinishedSpans().map(({ status }) => status.message)).toEqual([
      "something that has no text",
    ]);
  });

  test("with the error of what fails, which is thrown on as it is", async () => {
    const { telemetry } = await attached();
    const error = new TypeError("no database");
    const failing = (thrown: unknown) => (): never => {
      throw thrown;
    };
    expect(() => telemetry.measure(["sync"], {}, failing(error))).toThrow(error);
    const later = telemetry.measure(["async"], {}, async () => Promise.reject(error));
    await expect(later).rejects.toBe(error);
    expect(() => telemetry.measure(["text"], {}, failing("a text"))).toThrow("a text");
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ status }) => status)).toEqual([
      { code: api.SpanStatusCode.ERROR, message: "no database" },
      { code: api.SpanStatusCode.ERROR, message: "no database" },
      { code: api.SpanStatusCode.ERROR, message: "a text" },
    ]);
    expect(spans[0]?.events[0]?.attributes).toMatchObject({
      "exception.type": "TypeError",
      "exception.message": "no database",
    });
  });

  test("not any more when it is detached, nor where only metrics were asked for", async () => {
    const { telemetry, detach } = await attached();
    detach();
    detach();
    telemetry.measure(["a"], {}, () => {});
    await telemetry.attachOpenTelemetry({ traces: false });
    telemetry.measure(["a"], {}, () => {});
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

describe("metrics are instruments", () => {
  test("of what was there before, and of what is measured right before a collection", async () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["before"], 3, {});
    await telemetry.attachOpenTelemetry();
    telemetry.emitCounter(["before"], 4, {});
    telemetry.emitGauge(["queue"], -2);
    telemetry.execute(["lookups"], { count: 2, duration: 5 });
    for (let value = 1; value <= 9; value++) telemetry.emitHistogram(["size"], value);
    expect(await points()).toEqual([
      ["foundation.telemetry.measurements_without_instrument", {}, 0],
      ["before", {}, 7],
      ["queue", {}, -2],
      ["lookups.count", {}, 2],
      ["lookups.duration.count", {}, 1],
      ["lookups.duration.sum", {}, 5],
      ["lookups.duration", { quantile: 0.5 }, 5],
      ["lookups.duration", { quantile: 0.9 }, 5],
      ["lookups.duration", { quantile: 0.99 }, 5],
      ["size.count", {}, 9],
      ["size.sum", {}, 45],
      ["size", { quantile: 0.5 }, expect.closeTo(5, 0)],
      ["size", { quantile: 0.9 }, expect.closeTo(8, 0)],
      ["size", { quantile: 0.99 }, expect.closeTo(8, 0)],
    ]);
  });

  test("with labels as attributes, and of their own where names would be the same", async () => {
    const { telemetry } = await attached();
    telemetry.describe(["a"], { labels: ["path"] });
    telemetry.emitCounter(["a"], { path: "/" });
    telemetry.emitCounter(["a"], { path: "/b" });
    telemetry.emitGauge(["a"], 5, { path: "/" });
    telemetry.emitCounter(["x", "y"], 1, {});
    telemetry.emitCounter(["x.y"], 2, {});
    telemetry.emitCounter(["1 of", "ü"], 3, {});
    expect((await points()).slice(1)).toEqual([
      ["a", { path: "/" }, 1],
      ["a", { path: "/b" }, 1],
      ["a.gauge", { path: "/" }, 5],
      ["x.y", {}, 1],
      ["x.y.counter", {}, 2],
      ["m1_of._", {}, 3],
    ]);
  });

  test("no more once detached, and none while the service is down", async () => {
    const { slot, core, telemetry } = scene();
    const detach = await telemetry.attachOpenTelemetry();
    telemetry.emitCounter(["a"]);
    slot.remove(core);
    expect(await points()).toEqual([
      ["foundation.telemetry.measurements_without_instrument", {}, 0],
    ]);
    slot.install(core);
    expect(await points()).toContainEqual(["a", {}, 1]);
    detach();
    telemetry.emitCounter(["a"], 9, {});
    telemetry.emitCounter(["new"]);
    // The SDK goes on with what it was told last.
    const after = await points();
    expect(after.map(([name, , value]) => [name, value]).slice(1)).toEqual([["a", 1]]);
  });

  test("of ten thousand measurements at most; further ones are counted", async () => {
    const { telemetry } = scene({ metricsMax: 20_000 });
    for (let name = 0; name < 10_005; name++) telemetry.emitCounter([`name${name}`]);
    await telemetry.attachOpenTelemetry();
    const all = await points();
    expect(all).toHaveLength(10_000);
    expect(all[0]?.[2]).toBe(6);
  });
});

describe("attaching", () => {
  test("is done once at a time, and to no end once the isolate has left", async () => {
    const { telemetry, detach } = await attached();
    await expect(telemetry.attachOpenTelemetry()).rejects.toMatchObject({
      code: "invalid_argument",
    });
    detach();
    await telemetry.attachOpenTelemetry({ api });
    telemetry.close();
    telemetry.measure(["a"], {}, () => {});
    await telemetry.attachOpenTelemetry({ scope: "isolate" });
    telemetry.measure(["a"], {}, () => {});
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test("leaves nothing behind where the first collection fails", async () => {
    const { core } = scene();
    const broken = new Error("down");
    const source = { store: core.store, collect: async () => Promise.reject(broken) };
    await expect(bridge(source, planOpenTelemetry({ api }))).rejects.toBe(broken);
    core.execute(["a"], { counter: 1 }, {});
    expect(await points()).toEqual([]);
  });

  test.each([{ api: {} }, { traces: 1 }, { metrics: null }, { scope: "all" }, { sdk: {} }])(
    "is refused with options that cannot be: %j",
    (options) => {
      expect(codeOf(() => planOpenTelemetry(options as never))?.[0]).toBe("invalid_options");
    },
  );

  test("without it costs nothing: what is measured runs as it is, in no span", () => {
    const { telemetry } = scene();
    const result = telemetry.measure(["a"], {}, () => api.trace.getActiveSpan());
    expect([result, exporter.getFinishedSpans()]).toEqual([undefined, []]);
  });
});
