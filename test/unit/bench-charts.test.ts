import { describe, expect, it } from "vitest";
import { barsOf } from "../../bench/report/bars.mjs";
import { drawCharts } from "../../bench/report/charts.mjs";
import { bytesOf, seriesOf, spreadLabels } from "../../bench/report/lines.mjs";
import { fittingScale, logarithmicScale, straightScale } from "../../bench/report/scale.mjs";
import { sampleRecord } from "./bench-samples.ts";

describe("scales", () => {
  it("powers of ten enclose all values and place them by their logarithm", () => {
    const scale = logarithmicScale([20, 3000], 300);
    expect(scale.ticks).toEqual([10, 100, 1000, 10_000]);
    expect(scale.place(100)).toBeCloseTo(100);
    expect(scale.place(10_000)).toBeCloseTo(300);
  });

  it("a single value still has a scale", () => {
    expect(logarithmicScale([100], 10).ticks).toEqual([100, 1000]);
    expect(straightScale([7], 100).place(7)).toBeLessThanOrEqual(100);
  });

  it("a straight scale begins at 0 and ends at a round value that is not below the largest", () => {
    const scale = straightScale([10, 95], 200);
    expect(scale.ticks).toEqual([0, 50, 100]);
    expect(scale.place(50)).toBeCloseTo(100);
  });

  it("values far apart get powers, near ones do not", () => {
    expect(fittingScale([1, 11], 100).isLogarithmic).toBe(false);
    expect(fittingScale([1, 12], 100).isLogarithmic).toBe(true);
  });

  it("nothing has its place at the left end, also where all are nothing", () => {
    expect(fittingScale([0, 500], 100).place(0)).toBe(0);
    expect(fittingScale([0, 0], 100).place(0)).toBe(0);
  });
});

describe("bars", () => {
  const group = "64 B";
  const peers = { slow: [10], fast: [1000] };
  const copy = sampleRecord({ suite: "s", case: "64 B", group, ours: [100], peers });
  const view = sampleRecord({ suite: "s", case: "64 B view", group, ours: [200], peers });

  it("variants of ours stand among the rivals of their group, best first", () => {
    expect(barsOf([copy, view]).map(({ name }) => name)).toEqual([
      "fast",
      "ours, view",
      "ours",
      "slow",
    ]);
  });

  it("a rival's remark is the ratio to the first variant", () => {
    const remarks = Object.fromEntries(
      barsOf([copy, view]).map(({ name, remark }) => [name, remark]),
    );
    expect(remarks).toMatchObject({ slow: " · ours 10x", fast: " · ours 0.10x", ours: "" });
  });

  it("where lower is better the lowest comes first", () => {
    const record = sampleRecord({ suite: "s", case: "c", better: "lower", ours: [5], peers });
    expect(barsOf([record]).map(({ name }) => name)).toEqual(["ours", "slow", "fast"]);
  });
});

describe("lines", () => {
  it("sizes are read from the names of cases", () => {
    expect(bytesOf("64 KiB view")).toBe(65_536);
    expect(bytesOf("small object")).toBeUndefined();
  });

  it("points are sorted by size, and rivals are taken once", () => {
    const peers = { other: [5] };
    const series = seriesOf([
      sampleRecord({ suite: "s", case: "1 KiB", ours: [2], peers }),
      sampleRecord({ suite: "s", case: "16 B", ours: [1], peers }),
      sampleRecord({ suite: "s", case: "16 B view", group: "16 B", ours: [3], peers }),
    ]);
    expect(series.get("ours")?.map(({ bytes }) => bytes)).toEqual([16, 1024]);
    expect(series.get("ours, view")).toEqual([{ bytes: 16, rate: 3 }]);
    expect(series.get("other")).toHaveLength(2);
  });

  it("labels keep their order and their distance", () => {
    expect(spreadLabels([10, 12, 50], 14, 100)).toEqual([10, 24, 50]);
    expect(spreadLabels([98, 90, 95], 10, 100)).toEqual([100, 80, 90]);
  });
});

describe("charts", () => {
  const records = [
    sampleRecord({ suite: "ring", case: "64 B", ours: [1, 2, 3] }),
    sampleRecord({ suite: "node-to-node", case: "16 B", ours: [100], peers: { "a<b": [10] } }),
    sampleRecord({ suite: "node-to-node", case: "64 B", ours: [50], peers: { "a<b": [9] } }),
  ];

  it("each suite has one, and sizes have one more", () => {
    expect([...drawCharts(records).keys()]).toEqual([
      "ring.svg",
      "node-to-node.svg",
      "node-to-node-sizes.svg",
    ]);
  });

  it("they show both themes, the machine and no broken markup", () => {
    const chart = drawCharts(records).get("node-to-node.svg") ?? "";
    expect(chart).toContain("prefers-color-scheme: dark");
    expect(chart).toContain("2 cores (a processor), 24 GiB");
    expect(chart).toContain("a&lt;b");
    expect(chart).not.toContain("a<b");
    expect(chart).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("the same records draw the same chart", () => {
    expect(drawCharts(records)).toEqual(drawCharts(structuredClone(records)));
  });
});
