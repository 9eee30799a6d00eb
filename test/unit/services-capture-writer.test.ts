import { beforeEach, describe, expect, test } from "vitest";
import { Pid } from "../../dist/ts/index.js";
import { packEvent, unpackEvent } from "../../dist/ts/services/capture/capture-record.js";
import { CaptureWriter } from "../../dist/ts/services/capture/capture-writer.js";
import { PlainRing } from "./capture-scene.ts";
import { codeOf } from "./thrown-code.ts";

const home = { node: "a", life: "1-00", slot: 0, generation: 1 };
const somebody = new Pid(home, 5);

let ring: PlainRing;
let writer: CaptureWriter;
let self: Pid | undefined;

beforeEach(() => {
  ring = new PlainRing();
  self = undefined;
  writer = new CaptureWriter(
    ring,
    () => self,
    () => 1_000,
  );
});

const written = (): unknown[] => ring.records.map(({ value }) => value);

describe("record", () => {
  test("writes type and data, and what else is known", () => {
    writer.record("a", { x: 1 });
    self = somebody;
    writer.record("b", undefined);
    writer.record("c", 1, { correlationId: "r", pid: new Pid(home, 6) });
    expect(written().map((value) => JSON.stringify(value))).toEqual([
      JSON.stringify(["a", { x: 1 }]),
      JSON.stringify(["b", undefined, somebody]),
      JSON.stringify(["c", 1, new Pid(home, 6), "r", undefined]),
    ]);
  });

  test("answers false where there is no room, and takes nothing", () => {
    ring.roomFor = 1;
    expect([writer.record("a", 1), writer.record("b", 2)]).toEqual([true, false]);
    expect(written()).toEqual([["a", 1]]);
  });

  test.each(["", 5, undefined, "x".repeat(256)])("refuses %o as a type", (type) => {
    const record = () => writer.record(type as string, 1);
    expect(codeOf(record)?.[0]).toBe("invalid_options");
  });

  test("refuses options that nobody knows", () => {
    const record = () => writer.record("a", 1, { correlation: "r" } as object);
    expect(codeOf(record)?.[0]).toBe("invalid_options");
    expect(record).toThrow("correlationId");
  });

  test.each([{ correlationId: 5 }, { correlationId: "" }, { parentId: 0 }, { pid: "x" }])(
    "refuses %o",
    (options) => {
      const record = () => writer.record("a", 1, options as object);
      expect(codeOf(record)?.[0]).toBe("invalid_options");
      expect(written()).toEqual([]);
    },
  );

  test("refuses what is longer than a record may be", () => {
    const record = () => writer.record("a", "x".repeat(100));
    expect(codeOf(record)).toEqual(["capture_record_too_large", 28_702]);
    expect(written()).toEqual([]);
  });
});

describe("recordOrWait", () => {
  test("resolves at once where there is room", async () => {
    expect(await writer.recordOrWait("a", 1)).toBe(true);
    expect(written()).toEqual([["a", 1]]);
  });

  test("waits for room, first come first served", async () => {
    ring.roomFor = 1;
    writer.record("a", 0);
    const order: string[] = [];
    const waits = ["b", "c"].map(async (type) => {
      expect(await writer.recordOrWait(type, 0)).toBe(true);
      order.push(type);
    });
    expect(ring.isAwaited).toBe(true);
    ring.read(1);
    writer.letIn();
    await waits[0];
    expect(written()).toEqual([["b", 0]]);
    ring.read(1);
    writer.letIn();
    await Promise.all(waits);
    expect(order).toEqual(["b", "c"]);
  });

  test("does not overtake one that waits already", async () => {
    ring.roomFor = 1;
    writer.record("a", 0);
    const first = writer.recordOrWait("b", 0);
    ring.roomFor = 3; // nobody has told the writer yet
    const second = writer.recordOrWait("c", 0);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(written()).toEqual([
      ["a", 0],
      ["b", 0],
      ["c", 0],
    ]);
  });

  test("gives up after its time, and counts the loss", async () => {
    ring.roomFor = 0;
    const wait = writer.recordOrWait("a", 1, { timeoutMs: 0 });
    await expect(wait).rejects.toMatchObject({ code: "capture_full", numericCode: 28_701 });
    expect(ring.dropped).toBe(1);
    ring.roomFor = 9;
    writer.letIn();
    expect(written()).toEqual([]);
  });

  test("gives up when it is told to", async () => {
    ring.roomFor = 0;
    const abort = new AbortController();
    const wait = writer.recordOrWait("a", 1, { signal: abort.signal });
    abort.abort();
    await expect(wait).rejects.toMatchObject({ code: "aborted" });
    expect(ring.dropped).toBe(1);
  });

  test("ends with the node", async () => {
    ring.roomFor = 0;
    const wait = writer.recordOrWait("a", 1);
    writer.close();
    await expect(wait).rejects.toMatchObject({ code: "node_left" });
  });

  test("tells what is wrong with an event although it waited", async () => {
    ring.roomFor = 0;
    const wait = writer.recordOrWait("a", "x".repeat(100));
    await expect(wait).rejects.toMatchObject({ code: "capture_record_too_large" });
  });
});

test("an event comes out of its record as it went in", () => {
  const value = packEvent("a", { x: 1 }, somebody, { correlationId: "r", parentId: 9 });
  expect(unpackEvent({ timestampMs: 5, sequence: 7, value })).toEqual({
    ...{ type: "a", data: { x: 1 }, timestampMs: 5, sequence: 7 },
    ...{ pid: somebody, correlationId: "r", parentId: 9 },
  });
});
