import { describe, expect, test } from "vitest";
import { telemetryScene as scene } from "./telemetry-scene.ts";
import { codeOf } from "./thrown-code.ts";

describe("a metric that was described with labels", () => {
  test("has a series for each value of them, and is the sum of those", () => {
    const { telemetry } = scene();
    telemetry.describe(["http", "request"], { labels: ["path", "status"] });
    telemetry.emitHistogram(["http", "request"], 10, { path: "/", status: 200, id: 1 });
    telemetry.emitHistogram(["http", "request"], 30, { path: "/", status: 200, id: 2 });
    telemetry.emitHistogram(["http", "request"], 50, { path: "/", status: 500 });
    const metric = telemetry.getMetricsFlat().get("http.request");
    expect(metric).toMatchObject({ count: 3, distributions: { histogram: { sum: 90, max: 50 } } });
    expect(metric?.labelled).toMatchObject([
      { labels: { path: "/", status: "200" }, count: 2, measurements: { histogram: 20 } },
      { labels: { path: "/", status: "500" }, count: 1 },
    ]);
  });

  test("takes texts, numbers and truths as values; others are no label, long ones are cut", () => {
    const { telemetry } = scene();
    telemetry.describe(["a"], { labels: ["x"] });
    for (const x of ["t", 1, true, 2n, null, {}, "l".repeat(500)]) {
      telemetry.emitCounter(["a"], { x });
    }
    telemetry.emitCounter(["a"]);
    const labelled = telemetry.getMetricsFlat().get("a")?.labelled ?? [];
    expect(labelled.map(({ labels, count }) => [labels["x"], count])).toEqual([
      ["t", 1],
      ["1", 1],
      ["true", 1],
      ["2", 1],
      ["", 3],
      ["l".repeat(200), 1],
    ]);
  });

  test("has one series for all label sets beyond the limit, and loses no event", () => {
    const { telemetry } = scene({ labelSetsMax: 3 });
    telemetry.describe(["a"], { labels: ["user"] });
    for (let user = 0; user < 100; user++) telemetry.emitCounter(["a"], { user });
    const metric = telemetry.getMetricsFlat().get("a");
    expect(metric?.measurements["counter"]).toBe(100);
    expect(metric?.labelled?.at(-1)).toMatchObject({ labels: { overflow: "true" }, count: 97 });
    expect(telemetry.status()).toMatchObject({ metricsCount: 4, droppedEvents: 0 });
  });

  test("gives the room of series that nobody measures to others", () => {
    const { clock, telemetry } = scene({ labelSetsMax: 1 });
    telemetry.describe(["a"], { labels: ["user"] });
    telemetry.emitCounter(["a"], { user: "old" });
    telemetry.emitCounter(["a"], { user: "overflows" });
    clock.advance(420_000);
    telemetry.emitCounter(["a"], { user: "new" });
    const labelled = telemetry.getMetricsFlat().get("a")?.labelled;
    expect(labelled?.map(({ labels }) => labels)).toEqual([{ user: "new" }]);
    expect(telemetry.status().metricsCount).toBe(1);
  });

  test("keeps its series when it is described again with the same labels only", () => {
    const { telemetry } = scene();
    telemetry.describe(["a"], { labels: ["x"] });
    telemetry.emitCounter(["a"], { x: 1 });
    telemetry.describe(["a"], { labels: ["x"], help: "Events" });
    expect(telemetry.status().metricsCount).toBe(1);
    telemetry.describe(["a"], { labels: ["y"] });
    expect(telemetry.status().metricsCount).toBe(0);
  });

  test("stays described when metrics are forgotten", () => {
    const { telemetry } = scene();
    telemetry.describe(["a"], { labels: ["x"] });
    telemetry.resetMetrics();
    telemetry.emitCounter(["a"], { x: 1 });
    expect(telemetry.getMetricsFlat().get("a")?.labelled).toHaveLength(1);
  });

  test.each([
    [["a"], { labels: ["le"] }],
    [["a"], { labels: ["isolate"] }],
    [["a"], { labels: ["with space"] }],
    [["a"], { labels: ["__own"] }],
    [["a"], { labels: ["x", "x"] }],
    [["a"], { labels: Array.from({ length: 9 }, (_, at) => `l${at}`) }],
    [["a"], { labels: "x" }],
    [["a"], { buckets: [1, 1] }],
    [["a"], { buckets: [1, Number.POSITIVE_INFINITY] }],
    [["a"], { help: 7 }],
    [["a"], { label: ["x"] }],
    [["a"], null],
    [[], {}],
    [[7], {}],
  ])("is refused where it cannot be: %j %j", (name, description) => {
    const { telemetry } = scene();
    const attempted = (): void => telemetry.describe(name as never, description as never);
    expect(codeOf(attempted)).toEqual(["invalid_argument", 2005]);
  });
});

describe("events that mean harm", () => {
  const throwing = {
    get path(): string {
      throw new Error("mine");
    },
  };

  test.each([
    ["no name", null, { counter: 1 }, {}],
    ["an empty name", [], { counter: 1 }, {}],
    ["a name of numbers", [1, 2], { counter: 1 }, {}],
    ["a name of symbols", [Symbol("s")], { counter: 1 }, {}],
    ["a name of a thousand words", Array(1_000).fill("w"), { counter: 1 }, {}],
    ["a name of a megabyte", ["w".repeat(1 << 20)], { counter: 1 }, {}],
    ["metadata that throw", ["described"], { counter: 1 }, throwing],
    ["measurements that throw", ["a"], throwing, {}],
    ["a name that throws", new Proxy([], { get: () => throwing.path }), { counter: 1 }, {}],
  ])(
    "with %s throw nothing, are counted, and leave the rest alone [F144]",
    (_, name, given, metadata) => {
      const { telemetry } = scene();
      telemetry.describe(["described"], { labels: ["path"] });
      telemetry.emitCounter(["mine"]);
      telemetry.execute(name as never, given as never, metadata);
      telemetry.emitCounter(["mine"]);
      expect(telemetry.status().droppedEvents).toBe(1);
      expect(telemetry.getMetricsFlat().get("mine")?.measurements).toEqual({ counter: 2 });
    },
  );

  test("cannot change what is known: neither by their objects nor by those that are told", () => {
    const { telemetry } = scene();
    const [name, metadata] = [["a", "b"], { user: "ann" }];
    telemetry.emitCounter(name, metadata);
    name[1] = "changed";
    metadata.user = "changed";
    const told = telemetry.getMetricsFlat();
    (told.get("a.b") as { count: number }).count = 99;
    told.clear();
    expect([...telemetry.getMetricsFlat()]).toMatchObject([
      ["a.b", { count: 1, metadata: { user: "ann" } }],
    ]);
  });

  test("with numbers that are none count as events and change no figure", () => {
    const { telemetry } = scene();
    telemetry.emitCounter(["a"], 5, {});
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "7", {}]) {
      telemetry.execute(["a"], { counter: value as number, other: value as number });
    }
    telemetry.emitCounter(["a"], Number.NaN);
    telemetry.emitGauge(["a"], Number.NaN);
    expect(telemetry.getMetricsFlat().get("a")).toMatchObject({
      measurements: { counter: 5 },
      count: 7,
      distributions: {},
    });
  });

  test("with ever new measurements fill no memory: a series has sixteen distributions", () => {
    const { telemetry } = scene();
    for (let key = 0; key < 100; key++) telemetry.execute(["a"], { [`key${key}`]: key });
    const metric = telemetry.getMetricsFlat().get("a");
    expect(Object.keys(metric?.distributions ?? {})).toHaveLength(16);
  });
});
