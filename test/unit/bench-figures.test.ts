import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { drawCharts } from "../../bench/report/charts.mjs";
import { aimsBlock, figuresBlock, replaceBlock } from "../../bench/report/figures.mjs";
import { sampleRecord } from "./bench-samples.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("tables of the documentation", () => {
  const records = [
    sampleRecord({
      suite: "node-to-node",
      case: "64 B",
      ours: [3e6, 4e6, 5e6],
      peers: { disterl: [2e5] },
      target: { vs: "disterl", ratio: 10 },
    }),
    sampleRecord({
      suite: "formation",
      case: "20 nodes",
      better: "lower",
      ours: [0.3],
      target: { atMost: 0.1 },
    }),
    sampleRecord({
      suite: "services",
      case: "setting",
      ours: [12e6],
      target: { atLeast: 10e6 },
    }),
  ];

  it("a suite's rivals are columns, those without a figure are left out", () => {
    const block = figuresBlock(records);
    expect(block).toContain("| two processes on loopback | ours | disterl |");
    expect(block).toContain(
      "| 64 B, messages/s | 4.00 M (3.00 M .. 5.00 M) | 200 k (ours 20.00x) |",
    );
    expect(block).toContain("1 to 3 rounds");
    expect(block).not.toContain("zeromq");
  });

  it("every aim stands beside what was reached", () => {
    const block = aimsBlock(records);
    expect(block).toContain("| node-to-node · 64 B | 10x disterl | 20.00x | met |");
    expect(block).toContain("| at most 0.100 messages/s | 0.300 messages/s | **not met** |");
    expect(block).toContain("| at least 10.0 M messages/s | 12.0 M messages/s | met |");
  });

  it("a block is replaced between its marks and nowhere else", () => {
    const text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
    expect(replaceBlock(text, "x", "new")).toBe("a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
    expect(replaceBlock(replaceBlock(text, "x", "new"), "x", "new")).toBe(
      replaceBlock(text, "x", "new"),
    );
    expect(() => replaceBlock("none", "x", "new")).toThrow(/no block/);
  });
});

/** Nothing of what is published is written by hand: it follows from the records. */
describe.runIf(existsSync(new URL("../../docs/charts/records.json", import.meta.url)))(
  "the published figures",
  () => {
    const records = () => JSON.parse(read("docs/charts/records.json"));

    it("README.md has the tables of the records", () => {
      const text = read("README.md");
      expect(replaceBlock(text, "figures", figuresBlock(records()))).toBe(text);
    });

    it("docs/performance.md has their aims", () => {
      const text = read("docs/performance.md");
      expect(replaceBlock(text, "aims", aimsBlock(records()))).toBe(text);
    });

    it("the charts are drawn from them", () => {
      for (const [file, chart] of drawCharts(records())) {
        expect(read(`docs/charts/${file}`)).toBe(chart);
      }
    });
  },
);
