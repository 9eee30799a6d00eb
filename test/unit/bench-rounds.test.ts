import { describe, expect, it } from "vitest";
import { percentilesOf } from "../../bench/cluster/latency/round-trips.mjs";
import { createRecords } from "../../bench/record.mjs";
import { takeFigures } from "../../bench/rounds.mjs";
import { summarise } from "../../bench/statistics.mjs";

const ALL = { rounds: 2, includesOurs: true, includesPeers: true, onTurn: () => {} };
const present = async () => undefined;

/** A contender that yields the same every time. */
const constant = (name: string, outcome: number | Record<string, number>) => ({
  name,
  case: name,
  absence: present,
  measure: async () => outcome,
});

describe("rounds", () => {
  it("contenders take turns, and one that fails is left out of the rest", async () => {
    const turns: string[] = [];
    const failing = {
      ...constant("failing", 1),
      measure: async () => {
        throw new Error("no such thing");
      },
    };
    const benchCase = {
      case: "c",
      unit: "u",
      better: "higher" as const,
      ours: [constant("ours", 10)],
      peers: [failing, constant("other", 5)],
    };
    const onTurn = (contender: object) => turns.push((contender as { name: string }).name);
    const figures = await takeFigures(benchCase, { ...ALL, onTurn });
    expect(turns).toEqual(["ours", "failing", "other", "ours", "other"]);
    const [record] = createRecords({ suite: "s", benchCase, figures }, true);
    expect(record).toMatchObject({ ratios: { other: 2 }, failed: { failing: "no such thing" } });
  });

  it("an outcome without a positive figure is a failure", async () => {
    for (const outcome of [0, Number.NaN, {}, { p50: -1 }]) {
      const benchCase = { case: "c", ours: [constant("ours", outcome)], peers: [] };
      const { failed } = await takeFigures(benchCase, ALL);
      expect([...failed.values()][0]).toMatch(/no figure/);
    }
  });

  it("of what should not happen, nothing is a figure too", async () => {
    const lost = { key: "lost", name: "lost", unit: "messages", better: "lower" as const };
    const take = async (mayBeZero: boolean) => {
      const figures = [{ ...lost, mayBeZero }];
      const contenders = [constant("ours", { lost: 0 }), constant("rival", { lost: 0 })];
      const [ours, rival] = contenders as [(typeof contenders)[0], (typeof contenders)[0]];
      const targets = { lost: [{ atMost: 0 }] };
      const benchCase = { case: "c", figures, ours: [{ ...ours, targets }], peers: [rival] };
      return createRecords(
        { suite: "s", benchCase, figures: await takeFigures(benchCase, ALL) },
        true,
      );
    };
    expect((await take(true))[0]).toMatchObject({ ours: { median: 0 }, ratios: { rival: 1 } });
    expect((await take(false))[0]?.failed?.ours).toMatch(/no figure/);
  });

  it("a turn with several figures gives a record for each that it has", async () => {
    const figures = [
      { key: "p99", name: "p99", unit: "µs", better: "lower" as const },
      { key: "bulk", name: "bulk", unit: "bytes/s", better: "higher" as const },
    ];
    const benchCase = {
      case: "c",
      figures,
      ours: [
        {
          ...constant("both", { p99: 200, bulk: 80 }),
          beside: { idle: "idle", alone: "alone" },
          targets: { bulk: [{ vs: "alone", ratio: 0.8 }] },
        },
        { ...constant("idle", { p99: 100 }), isYardstick: true },
        { ...constant("alone", { bulk: 100 }), isYardstick: true },
      ],
      peers: [],
    };
    const taken = await takeFigures(benchCase, ALL);
    const records = createRecords({ suite: "s", benchCase, figures: taken }, true);
    expect(records.map((record) => [record.case, record.ratios])).toEqual([
      ["both, p99", { idle: 0.5 }],
      ["both, bulk", { alone: 0.8 }],
    ]);
    expect(records[1]).toMatchObject({ ratio: 0.8, group: "c, bulk" });
  });

  it("a variant that the build lacks is left out, with its reason", async () => {
    const lacking = { ...constant("new", 1), absence: async () => "unknown option" };
    const benchCase = { case: "c", ours: [lacking], peers: [] };
    const figures = await takeFigures(benchCase, ALL);
    expect(figures.leftOut.get("new")).toBe("unknown option");
    expect(createRecords({ suite: "s", benchCase, figures }, true)).toEqual([]);
  });
});

describe("statistics", () => {
  it("an even count takes the mean of the two in the middle", () => {
    expect(summarise([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, runs: [4, 1, 3, 2] });
  });

  it("percentiles are round trips that happened", () => {
    const roundTripsMs = Array.from({ length: 100 }, (_, index) => (100 - index) / 1000);
    const { p50, p99, count } = percentilesOf(roundTripsMs);
    expect(p50).toBeCloseTo(50);
    expect(p99).toBeCloseTo(99);
    expect(count).toBe(100);
    expect(() => percentilesOf([])).toThrow(/no ping/);
  });
});
