import { describe, expect, it } from "vitest";
import { compareRecords, formatComparison, mergeRecords } from "../../bench/report/comparison.mjs";
import { type Sample, sampleRecord } from "./bench-samples.ts";

const THRESHOLD = { threshold: 0.1 };

function changeOf(base: Partial<Sample>, head: Partial<Sample>) {
  const record = (sample: Partial<Sample>) =>
    sampleRecord({ suite: "ring", case: "64 B", ours: [1], ...sample });
  const [change] = compareRecords([record(base)], [record(head)], THRESHOLD).changes;
  if (change === undefined) throw new Error("nothing was compared");
  return change;
}

describe("two lists of records", () => {
  it("a change beyond the threshold whose rounds lie apart is one", () => {
    expect(changeOf({ ours: [99, 100, 101] }, { ours: [79, 80, 81] }).verdict).toBe("worse");
    expect(changeOf({ ours: [99, 100, 101] }, { ours: [119, 120, 121] }).verdict).toBe("better");
  });

  it("rounds that overlap are noise, however far the medians are apart", () => {
    expect(changeOf({ ours: [70, 100, 110] }, { ours: [60, 65, 75] }).verdict).toBe("noise");
  });

  it("a small change is none, even if the rounds lie apart", () => {
    expect(changeOf({ ours: [100, 100, 100] }, { ours: [95, 95, 95] }).verdict).toBe("same");
  });

  it("the threshold means the same in both directions", () => {
    expect(changeOf({ ours: [100] }, { ours: [111] }).verdict).toBe("better");
    expect(changeOf({ ours: [111] }, { ours: [100] }).verdict).toBe("worse");
  });

  it("where lower is better a rise is worse", () => {
    const change = changeOf({ better: "lower", ours: [50] }, { better: "lower", ours: [100] });
    expect(change.verdict).toBe("worse");
    expect(change.gain).toBe(0.5);
  });

  it("the rivals say how the machine moved meanwhile", () => {
    const change = changeOf(
      { peers: { one: [100], two: [100], gone: [1] } },
      { peers: { one: [50], two: [200], new: [1] } },
    );
    expect(change.rivals).toBeCloseTo(1);
    expect(changeOf({}, {}).rivals).toBeUndefined();
  });

  it("cases of one list alone are named and not compared", () => {
    const only = (name: string) => [sampleRecord({ suite: "ring", case: name, ours: [1] })];
    const comparison = compareRecords(only("old"), only("new"), THRESHOLD);
    expect(comparison.changes).toEqual([]);
    expect(comparison.onlyIn).toEqual({ base: ["ring · old"], head: ["ring · new"] });
    expect(formatComparison(comparison)).toContain("only in head: ring · new");
  });

  it("short runs of one build become one list", () => {
    const run = (ours: number, peer: number) => [
      sampleRecord({ suite: "ring", case: "64 B", ours: [ours], peers: { other: [peer] } }),
    ];
    const [merged] = mergeRecords([run(1, 10), run(3, 30), run(2, 20)]);
    expect(merged?.ours).toEqual({ median: 2, min: 1, max: 3, runs: [1, 3, 2] });
    expect(merged?.peers["other"]?.median).toBe(20);
  });

  it("the table says what each verdict rests on", () => {
    const base = sampleRecord({ suite: "ring", case: "64 B", ours: [90, 100, 110] });
    const head = sampleRecord({ suite: "ring", case: "64 B", ours: [45, 50, 55] });
    const table = formatComparison(compareRecords([base], [head], THRESHOLD));
    expect(table).toMatch(/ring · 64 B \(messages\/s\) +100 \(90\.0 \.\. 110\)/);
    expect(table).toMatch(/0\.50x +±10 % +WORSE$/);
  });
});
