import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytesOf, countedBytesMin, rowsOf } from "../../bench/micro/messages/calibrate.mjs";
import { COUNTED_BYTES_MIN } from "../../ts/beam/messages/thresholds.ts";
import { sampleRecord } from "./bench-samples.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const kept = JSON.parse(read("bench/micro/messages/calibration.json")) as {
  rows: ReturnType<typeof rowsOf>;
};

describe("the threshold of `auto`", () => {
  test("is what the kept figures say", () => {
    expect(countedBytesMin(kept.rows)).toBe(COUNTED_BYTES_MIN);
  });

  test("is behind the last size at which counted bytes cost more", () => {
    const cost = (size: string, direct: number, counted: number): ReturnType<typeof rowsOf> =>
      [
        { way: "direct", costUs: direct, costUsMin: direct - 0.4, costUsMax: direct + 0.4 },
        { way: "counted", costUs: counted, costUsMin: counted - 0.4, costUsMax: counted + 0.4 },
      ].map((each) => ({ size, place: "other isolate", messagesPerSecond: 1, ...each }));
    const rows = [...cost("1 KiB", 1, 2), ...cost("4 KiB", 5, 4), ...cost("16 KiB", 9, 8.5)];
    expect(countedBytesMin([...rows, ...cost("64 KiB", 9, 8)])).toBe(64 << 10);
    expect(bytesOf("1 MiB")).toBe(1 << 20);
  });

  test("comes from the medians of a run", () => {
    const name = "1 KiB, other isolate, direct";
    const records = [
      sampleRecord({ suite: "messages", case: `${name}, rate`, ours: [1_000, 2_000, 3_000] }),
      sampleRecord({ suite: "messages", case: `${name}, processor time`, ours: [1, 2.345, 3] }),
    ];
    expect(rowsOf(records as never)).toEqual([
      {
        size: "1 KiB",
        place: "other isolate",
        way: "direct",
        messagesPerSecond: 2_000,
        costUs: 2.35,
        costUsMin: 1,
        costUsMax: 3,
      },
    ]);
  });

  test("is the table of the page, line by line", () => {
    const page = read("docs/messages.md");
    for (const size of new Set(kept.rows.map((row) => row.size))) {
      const costs = kept.rows.filter((row) => row.size === size).map(({ costUs }) => `${costUs}`);
      expect(page).toContain(`| ${size} | ${costs.join(" | ")} |`);
    }
  });
});
