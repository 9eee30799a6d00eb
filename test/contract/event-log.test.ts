import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WarmStore } from "../../dist/ts/index.js";
import { runProgram, scenario } from "./child-program.ts";

const SCENARIOS = "./event-log-scenarios.mjs";
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "event-log-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("a worker that is terminated with an open warm store", () => {
  test("takes the thread along, and keeps what was acknowledged", async () => {
    expect(await scenario(SCENARIOS, ["terminateWorkers", folder])).toEqual({
      isWhole: true,
      more: 0,
    });
  });
});

describe("a process with an open warm store", () => {
  test("ends by itself when nothing is under way", async () => {
    expect(await scenario(SCENARIOS, ["leaveOpen", folder])).toEqual({});
    expect(await scenario(SCENARIOS, ["count", folder])).toEqual({ events: 5 });
  });

  test("that exits first has done what was handed over", async () => {
    expect(await runProgram(SCENARIOS, ["exitAtOnce", folder])).toMatchObject({ exitCode: 0 });
    expect(await scenario(SCENARIOS, ["count", folder])).toEqual({ events: 7 });
  });

  test("keeps every other one out of its folder", async () => {
    const store = await WarmStore.open({ path: folder });
    const other = await runProgram(SCENARIOS, ["count", folder]);
    expect(other.stderr).toContain("event_log_locked");
    await store.close();
    expect(await scenario(SCENARIOS, ["count", folder])).toEqual({ events: 0 });
  });
});

describe("a warm store", () => {
  test("is open once, also within a process", async () => {
    expect(await scenario(SCENARIOS, ["openTwice", folder])).toEqual({
      second: "event_log_locked",
      third: "no error: [object Object]",
    });
  });

  test("closes as often as it is told to, after what was appended; then refuses", async () => {
    const closed = "event_log_closed";
    expect(await scenario(SCENARIOS, ["closeTwice", folder])).toEqual({
      appended: "no error: undefined",
      closes: ["no error: undefined", "no error: undefined"],
      later: {
        append: closed,
        get: closed,
        query: closed,
        pruneBefore: closed,
        stats: closed,
        close: "no error: undefined",
      },
      events: 3,
    });
  });

  test("says what it cannot open, and takes what is no loss", async () => {
    expect(await scenario(SCENARIOS, ["garbage", folder])).toEqual({
      "a segment of noise": "no error: 2", // as a crash may leave it before the first event
      "an earlier segment of noise": "data_corruption",
      "an index of noise": "no error: 2",
      "an empty index": "no error: 2",
      "an index that is a folder": "event_log_failed",
      "other files": "no error: 2",
      "a file for a folder": "event_log_failed",
    });
  });
});
