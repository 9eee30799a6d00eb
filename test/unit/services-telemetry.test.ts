import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, test } from "vitest";
import { TelemetryCore } from "../../ts/services/telemetry/telemetry-core.ts";
import { TELEMETRY_DEFAULTS } from "../../ts/services/telemetry/telemetry-options.ts";
import { settled } from "./beam-scene.ts";
import { telemetryScene as scene } from "./telemetry-scene.ts";
import { codeOf } from "./thrown-code.ts";

describe("measuring a function", () => {
  test("gives its result and reports its duration [F528]", async () => {
    const { telemetry } = scene();
    expect(telemetry.measure(["app", "load"], { id: 1 }, () => 7)).toBe(7);
    expect(await telemetry.measure(["app", "load"], {}, async () => 8)).toBe(8);
    const metric = telemetry.getMetricsFlat().get("app.load.stop");
    expect(metric).toMatchObject({ count: 2, metadata: { id: 1 } });
    expect(metric?.measurements["duration"]).toBeGreaterThanOrEqual(0);
    expect(metric?.distributions["duration"]?.count).toBe(2);
  });

  test("throws on what it throws, and reports that [F529]", async () => {
    const { telemetry } = scene();
    const error = new Error("no");
    const failing = (): never => {
      throw error;
    };
    expect(() => telemetry.measure(["app", "load"], { id: 1 }, failing)).toThrow(error);
    const rejected = telemetry.measure(["app", "load"], {}, async () => Promise.reject(error));
    await expect(rejected).rejects.toBe(error);
    const metrics = telemetry.getMetricsFlat();
    expect([...metrics.keys()]).toEqual(["app.load.exception"]);
    expect(metrics.get("app.load.exception")).toMatchObject({
      count: 2,
      metadata: { id: 1, error },
    });
  });

  test("by module and name is an event of its own", () => {
    const { telemetry } = scene();
    expect(telemetry.timeFunction("Users", "load", () => 1)).toBe(1);
    const metric = telemetry.getMetricsFlat().get("foundation.function.execution.stop");
    expect(metric?.metadata).toEqual({ module: "Users", function: "load" });
  });
});

describe("events", () => {
  test("of counters add up [F530]", () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["requests"]);
    telemetry.emitCounter(["requests"], { path: "/" });
    telemetry.emitCounter(["requests"], 5, {});
    expect(telemetry.getMetricsFlat().get("requests")).toMatchObject({
      measurements: { counter: 7 },
      metadata: {},
      count: 3,
    });
  });

  test("of gauges replace each other [F531]", () => {
    const { clock, telemetry } = scene();
    telemetry.emitGauge(["queue"], 5, { name: "a" });
    clock.advance(10);
    telemetry.emitGauge(["queue"], 3);
    telemetry.emitPerformance("cpu", 0.5);
    telemetry.emitSystemEvent("started");
    const metrics = telemetry.getMetricsFlat();
    expect(metrics.get("queue")).toEqual({
      timestamp: clock.wallNow(),
      measurements: { gauge: 3 },
      metadata: { name: "a" },
      count: 2,
      distributions: {},
    });
    expect(metrics.get("foundation.performance.cpu")?.measurements).toEqual({ gauge: 0.5 });
    expect(metrics.get("foundation.system.started")?.measurements).toEqual({ counter: 1 });
    expect(() => telemetry.emitGauge(["queue"], "5" as never)).toThrow(TypeError);
  });
});

describe("a histogram", () => {
  test("takes a name, a value and metadata, or none [F519 F527]", () => {
    const { telemetry } = scene();
    telemetry.emitHistogram(["latency"], 12, { route: "/" });
    telemetry.emitHistogram(["latency"], 18);
    expect(telemetry.getMetricsFlat().get("latency")).toMatchObject({
      measurements: { histogram: 15 },
      metadata: { route: "/" },
      count: 2,
    });
  });

  test.each([7, 0.125, -3, 0, 1e15])("takes the value %d [F520 F524]", (value) => {
    const { telemetry } = scene();
    telemetry.emitHistogram(["any"], value);
    const distribution = telemetry.getMetricsFlat().get("any")?.distributions["histogram"];
    expect(distribution).toMatchObject({
      count: 1,
      sum: value,
      min: value,
      max: value,
      p50: value,
    });
  });

  test.each([["text"], [[]], [[7]], [["a", null]], [undefined]])(
    "refuses the name %j [F521]",
    (name) => {
      const { telemetry } = scene();
      expect(() => telemetry.emitHistogram(name as never, 1)).toThrow(TypeError);
      expect(telemetry.status().metricsCount).toBe(0);
    },
  );

  test.each(["5", undefined, null, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses the value %s [F522]",
    (value) => {
      const { telemetry } = scene();
      expect(() => telemetry.emitHistogram(["a"], value as never)).toThrow(TypeError);
    },
  );

  test.each([["text"], [7], [[]], [null]])("refuses the metadata %j [F523]", (metadata) => {
    const { telemetry } = scene();
    expect(() => telemetry.emitHistogram(["a"], 1, metadata as never)).toThrow(TypeError);
  });

  test("has quantiles, which a mean of the last two has not [F525 F526]", () => {
    const { telemetry } = scene();
    for (let value = 1; value <= 1_000; value++) telemetry.emitHistogram(["latency"], value);
    const distribution = telemetry.getMetricsFlat().get("latency")?.distributions["histogram"];
    expect(distribution).toMatchObject({ count: 1_000, sum: 500_500, min: 1, max: 1_000 });
    for (const [quantile, value] of [
      [distribution?.p50, 500],
      [distribution?.p90, 900],
      [distribution?.p99, 990],
    ] as const) {
      expect(Math.abs((quantile ?? 0) / value - 1)).toBeLessThan(0.0101);
    }
  });
});

describe("metrics", () => {
  test("are a tree, with four plain counts [F532]", () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["foundation", "config_updates"]);
    telemetry.emitCounter(["foundation", "config_updates"]);
    telemetry.emitGauge(["vm", "memory"], 5);
    const tree = telemetry.getMetrics();
    expect(tree).toMatchObject({
      foundation: { config_updates: 2 },
      vm: { memory: { measurements: { gauge: 5 }, count: 1 } },
      retrievedAt: expect.any(Number) as number,
    });
  });

  test("have names that begin each other, D13, and any words", () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["a"]);
    telemetry.emitCounter(["a", "b"]);
    telemetry.emitCounter(["__proto__", "polluted"]);
    const tree = telemetry.getMetrics() as Record<string, Record<string, { count: number }>>;
    expect([tree["a"]?.["value"]?.count, tree["a"]?.["b"]?.count]).toEqual([1, 1]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("can be asked for by the beginning of their names, D2", () => {
    const { telemetry } = scene();
    for (const name of [["a", "b"], ["a", "c"], ["b"]]) telemetry.emitCounter(name);
    expect([...telemetry.getMetricsFor(["a"]).keys()]).toEqual(["a.b", "a.c"]);
    expect([...telemetry.getMetricsFor(["no"]).keys()]).toEqual([]);
  });

  test("are forgotten when nobody measured them for five minutes, D1", () => {
    const { clock, telemetry } = scene();
    telemetry.emitCounter(["old"]);
    clock.advance(200_000);
    telemetry.emitCounter(["new"]);
    clock.advance(170_000);
    expect([...telemetry.getMetricsFlat().keys()]).toEqual(["new"]);
    expect(telemetry.status().metricsCount).toBe(1);
  });

  test("are bounded: further names are dropped and counted", () => {
    const { telemetry } = scene({ metricsMax: 10 });
    for (let index = 0; index < 25; index++) telemetry.emitCounter([`name${index}`]);
    telemetry.emitCounter(["name0"]);
    expect(telemetry.status()).toMatchObject({ metricsCount: 10, droppedEvents: 15 });
    expect(telemetry.getMetricsFlat().get("name0")?.count).toBe(2);
  });

  test("are forgotten at the times that options name, and their room with them", () => {
    const options = { metricRetentionMs: 500, cleanupIntervalMs: 100, metricsMax: 1 };
    const { clock, telemetry } = scene(options);
    telemetry.emitCounter(["old"]);
    clock.advance(500);
    telemetry.emitCounter(["new"]);
    expect(telemetry.status()).toMatchObject({ metricsCount: 1, droppedEvents: 1 });
    clock.advance(100);
    telemetry.emitCounter(["new"]);
    expect([...telemetry.getMetricsFlat().keys()]).toEqual(["new"]);
    expect(telemetry.status().config).toMatchObject(options);
  });

  test("can be forgotten, and all state in test mode only", () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["a"]);
    telemetry.resetMetrics();
    expect(telemetry.status().metricsCount).toBe(0);
    expect(codeOf(() => telemetry.resetState())).toEqual(["operation_forbidden", 7002]);
    const tested = scene({}, true).telemetry;
    tested.attach("h", [["a"]], () => {});
    tested.resetState();
    expect(tested.status().handlersCount).toBe(0);
  });
});

describe("handlers", () => {
  test("are told of the events of their names, after the metrics", () => {
    const { telemetry } = scene();
    const told: unknown[] = [];
    const stop = telemetry.attach(
      "mine",
      [["a"], ["b", "c"]],
      (...event) => told.push([...event, telemetry.getMetricsFlat().size]),
      "config",
    );
    telemetry.emitCounter(["a"], { x: 1 });
    telemetry.emitGauge(["b", "c"], 2);
    telemetry.emitCounter(["b"]);
    stop();
    telemetry.emitCounter(["a"]);
    expect(told).toEqual([
      [["a"], { counter: 1 }, { x: 1 }, "config", 1],
      [["b", "c"], { gauge: 2 }, {}, "config", 2],
    ]);
  });

  test("that throw are detached and counted, and harm nobody", () => {
    const { telemetry } = scene();
    let told = 0;
    telemetry.attach("bad", [["a"]], () => {
      throw new Error("mine");
    });
    telemetry.attach("good", [["a"]], () => {
      told += 1;
    });
    telemetry.emitCounter(["a"]);
    telemetry.emitCounter(["a"]);
    expect(told).toBe(2);
    expect(telemetry.status()).toMatchObject({ handlersCount: 1, handlerFailures: 1 });
  });

  test("that reject are detached and counted once, and harm nobody", async () => {
    const { telemetry } = scene();
    telemetry.attach("bad", [["a"]], async () => Promise.reject(new Error("mine")));
    telemetry.emitCounter(["a"]);
    telemetry.emitCounter(["a"]);
    await settled();
    expect(telemetry.status()).toMatchObject({ handlersCount: 0, handlerFailures: 1 });
  });

  test("that reject late have nothing to do with another one of their id", async () => {
    const { telemetry } = scene();
    const stop = telemetry.attach("mine", [["a"]], async () => Promise.reject(new Error("late")));
    telemetry.emitCounter(["a"]);
    stop();
    telemetry.attach("mine", [["a"]], () => {});
    await settled();
    expect(telemetry.status()).toMatchObject({ handlersCount: 1, handlerFailures: 0 });
  });

  test("have ids of their own", () => {
    const { telemetry } = scene();
    telemetry.attach("mine", [["a"]], () => {});
    expect(codeOf(() => telemetry.attach("mine", [["b"]], () => {}))?.[0]).toBe("invalid_argument");
    expect([telemetry.detach("mine"), telemetry.detach("mine")]).toEqual([true, false]);
  });

  test("of attachHandlers write to the log until they are detached", () => {
    const { telemetry, lines } = scene();
    telemetry.attachHandlers([["a"]]);
    telemetry.attachHandlers([["a"]]);
    telemetry.emitCounter(["a"], { x: 1 });
    telemetry.detachHandlers([["a"]]);
    telemetry.emitCounter(["a"]);
    expect(lines).toEqual([["a", { counter: 1, x: 1 }]]);
  });

  test("of node:diagnostics_channel are told as well", () => {
    const { telemetry } = scene();
    const told: unknown[] = [];
    const listener = (message: unknown): void => void told.push(message);
    telemetry.emitCounter(["before"]);
    subscribe("foundation:telemetry", listener);
    telemetry.emitCounter(["a"], { x: 1 });
    unsubscribe("foundation:telemetry", listener);
    expect(told).toEqual([{ name: ["a"], measurements: { counter: 1 }, metadata: { x: 1 } }]);
  });
});

describe("the service", () => {
  test("starts and says how it is [F533 F534]", () => {
    const { clock, telemetry } = scene();
    clock.advance(50);
    expect(telemetry.available()).toBe(true);
    expect(telemetry.status()).toEqual({
      status: "running",
      metricsCount: 0,
      handlersCount: 0,
      droppedEvents: 0,
      handlerFailures: 0,
      uptimeMs: 50,
      config: TELEMETRY_DEFAULTS,
    });
  });

  test("takes no harm where it is down: events are lost, questions refused", () => {
    const { slot, core, telemetry } = scene();
    slot.remove(core);
    telemetry.emitCounter(["a"]);
    expect(telemetry.measure(["a"], {}, () => 7)).toBe(7);
    expect(telemetry.available()).toBe(false);
    expect(codeOf(() => telemetry.getMetrics())).toEqual(["service_unavailable", 28_200]);
  });

  test("has its metrics and handlers after a restart, and one timer", () => {
    const { clock, slot, core, telemetry } = scene();
    let told = 0;
    telemetry.attach("mine", [["a"]], () => {
      told += 1;
    });
    telemetry.emitCounter(["a"]);
    slot.remove(core);
    slot.install(new TelemetryCore({}, { clock, last: core }));
    telemetry.emitCounter(["a"]);
    expect([told, telemetry.getMetricsFlat().get("a")?.count]).toEqual([2, 2]);
    expect(clock.pending).toBe(1);
  });
});
