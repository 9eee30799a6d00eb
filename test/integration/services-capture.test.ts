import { afterEach, describe, expect, test } from "vitest";
import {
  type CapturedEvent,
  Foundation,
  type FoundationNode,
  type FoundationStartOptions,
  type Pid,
} from "../../dist/ts/index.js";

let node: FoundationNode;
afterEach(async () => node.leave());

async function start(capture: object = {}, options: FoundationStartOptions = {}) {
  node = await Foundation.start({ ...options, config: { env: false, values: { capture } } });
  const events: CapturedEvent[] = [];
  const batches: number[] = [];
  node.capture.subscribe((batch) => {
    events.push(...batch);
    batches.push(batch.length);
  });
  return { events, batches, types: () => events.map(({ type }) => type) };
}

async function killCapture(): Promise<void> {
  const supervisor = node.services.supervisor as Pid;
  const children = await node.beam.supervisors.whichChildren(supervisor);
  const victim = children.find(({ id }) => id === "capture")?.pid;
  if (victim !== undefined) node.beam.processes.exit(victim, "kill");
}

/** Resolves once the supervisor has restarted what was killed. */
async function restarted(): Promise<void> {
  await node.beam.supervisors.whichChildren(node.services.supervisor as Pid);
}

describe("a capture", () => {
  test("goes on recording while its process is dead, and hands it out afterwards", async () => {
    const { types } = await start();
    node.capture.record("before");
    await killCapture();
    expect(node.capture.available()).toBe(false);
    expect(() => node.capture.subscribe(() => {})).toThrow("capture");
    expect(node.capture.record("meanwhile")).toBe(true);
    expect(types()).toEqual([]);
    await restarted();
    await node.capture.flush();
    expect(types()).toEqual(["before", "meanwhile"]);
    expect(node.capture.stats()).toMatchObject({ totalWrites: 2, totalReads: 2, dropped: 0 });
  });

  test("knows the process that records, and when it did", async () => {
    const { events } = await start();
    const before = Date.now();
    const pid = node.beam.processes.spawn(() => void node.capture.record("work", { n: 1 }));
    await node.beam.processes.call(pid, "go");
    await node.capture.flush();
    expect(events[0]).toMatchObject({ type: "work", data: { n: 1 }, correlationId: undefined });
    expect(events[0]?.pid?.equals(pid)).toBe(true);
    const { timestampMs = 0 } = events[0] ?? {};
    expect(timestampMs).toBeGreaterThanOrEqual(before - 1);
    expect(timestampMs).toBeLessThanOrEqual(Date.now() + 1);
  });

  test("hands out what is left when the node leaves", async () => {
    const { types } = await start({ processing: { flushInterval: 1_000_000 } });
    node.capture.record("last");
    await node.leave();
    expect(types()).toEqual(["last"]);
    expect(() => node.capture.record("after")).toThrow("no part of the node");
    expect(node.capture.available()).toBe(false);
  });

  test("costs no ring before its first event", async () => {
    await start();
    expect(node.capture.stats()).toMatchObject({ writePosition: 0, unread: 0 });
  });
});

describe("what was captured", () => {
  test("becomes events of the node, with their times and who was meant", async () => {
    await start();
    const parentId = node.events.store(node.events.newEvent("cause", 1));
    const pid = node.beam.processes.spawn(() => 1);
    node.capture.record("effect", { n: 1 }, { pid, correlationId: "r", parentId });
    node.capture.record("effect", { n: 2 });
    await node.capture.flush();
    const [first, second] = node.events.query({ eventType: "effect" });
    expect(first).toMatchObject({ data: { n: 1 }, correlationId: "r", parentId });
    expect(first?.pid?.equals(pid)).toBe(true);
    expect(second).toMatchObject({ data: { n: 2 }, correlationId: null, pid: null });
    expect(second?.timestamp).toBeGreaterThan(first?.timestamp ?? 0);
    expect(second?.hlc?.ms).toBe(second?.wallTime);
    expect(node.capture.stats().processing).toMatchObject({ stored: 2, failed: 0 });
  });

  test("waits for the event store while that is being started again", async () => {
    await start();
    const supervisor = node.services.supervisor as Pid;
    const children = await node.beam.supervisors.whichChildren(supervisor);
    const victim = children.find(({ id }) => id === "events")?.pid as Pid;
    node.beam.processes.exit(victim, "kill");
    node.capture.record("meanwhile");
    await restarted();
    await node.capture.flush();
    expect(node.events.query({ eventType: "meanwhile" }).length).toBe(1);
  });

  test("stays in the rings for a subscriber where it is not stored", async () => {
    node = await Foundation.start({ capture: { store: false } });
    node.capture.record("kept");
    await node.capture.flush();
    expect(node.capture.stats()).toMatchObject({ unread: 1, totalReads: 0 });
    expect(node.events.query({ eventType: "kept" })).toEqual([]);
    const seen: string[] = [];
    node.capture.subscribe((batch) => seen.push(...batch.map(({ type }) => type)));
    await node.capture.flush();
    expect(seen).toEqual(["kept"]);
  });
});

describe("the configuration", () => {
  test("makes the rings", async () => {
    const ringBuffer = {
      ...{ size: 5, maxEvents: 3, overflowStrategy: "drop_newest", numBuffers: 1 },
    };
    await start({ ringBuffer, processing: { flushInterval: 1_000_000, batchSize: 1_000 } });
    const taken = Array.from({ length: 3 }, () => node.capture.record("x"));
    const { rings } = node.capture.stats();
    expect(rings).toMatchObject({ rings: 1, slots: 8, recordsMax: 3, overflow: "drop_newest" });
    expect(taken).toEqual([true, true, true]);
    expect(node.capture.record("x")).toBe(false);
    expect(node.capture.stats()).toMatchObject({ totalWrites: 3, unread: 3, dropped: 1 });
  });

  test("cannot be changed for rings that are made, and says so", async () => {
    await start();
    const change = () => node.config.update(["capture", "ringBuffer", "size"], 2_048);
    expect(change).toThrow("capture.ringBuffer.size");
  });

  test("that was changed all the same counts from the next start, which the log says", async () => {
    const lines: string[] = [];
    const log = { log: (_level: string, line: string) => void lines.push(line) };
    const updatable = [["capture", "ringBuffer", "maxEvents"]];
    node = await Foundation.start({ log, config: { env: false, updatable } });
    node.config.update(["capture", "ringBuffer", "maxEvents"], 500);
    expect(lines).toEqual(["capture.ringBuffer counts from the next start of the node"]);
    expect(node.capture.stats().rings.recordsMax).toBe(1_000);
  });

  test("changes the size of batches at once", async () => {
    const { batches } = await start({ processing: { batchSize: 50, flushInterval: 1_000_000 } });
    node.config.update(["capture", "processing", "batchSize"], 2);
    for (let index = 0; index < 6; index++) node.capture.record("x");
    await node.capture.flush();
    expect(batches).toEqual([2, 2, 2]);
  });

  test("says how many events a batch has, however many rings there are", async () => {
    const processing = { batchSize: 100, flushInterval: 1_000_000 };
    const { batches } = await start({ ringBuffer: { numBuffers: 8 }, processing });
    for (let index = 0; index < 130; index++) {
      node.capture.record("x");
      // Whoever is woken too early reads too early.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await node.capture.flush();
    expect(batches).toEqual([100, 30]);
  });

  test("changes the flush interval at once, also one that has begun", async () => {
    const { events } = await start({ processing: { flushInterval: 1_000_000 } });
    node.capture.record("x");
    // Its first event has begun the interval by then.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const flushed = new Promise<void>((resolve) => {
      node.capture.subscribe(() => resolve());
    });
    node.config.update(["capture", "processing", "flushInterval"], 1);
    await flushed;
    expect(events.length).toBe(1);
  });

  test("beyond what a ring can have keeps the node from starting", async () => {
    await start();
    const tooLarge = { ringBuffer: { size: 2 ** 21 } };
    const second = Foundation.start({ config: { env: false, values: { capture: tooLarge } } });
    await expect(second).rejects.toMatchObject({ code: "capture_limit", numericCode: 28_703 });
  });

  test("says what a trace records unless it is told otherwise", async () => {
    const vmTracing = { enableSpawnTrace: false, enableMessageTrace: true };
    const { types } = await start({ vmTracing });
    const untrace = node.capture.trace();
    const pid = node.beam.processes.spawn(() => 1);
    await node.beam.processes.call(pid, "x");
    await node.beam.processes.stop(pid);
    untrace();
    await node.capture.flush();
    expect(types()).toEqual(["message_receive", "process_exit"]);
  });
});

test("options of the capture are checked", async () => {
  await start({}, { capture: { recordBytesMax: 100 } });
  expect(() => node.capture.record("x", "y".repeat(100))).toThrow("100 bytes");
  const wrong = { capture: { recordByteMax: 5 } as object };
  await expect(Foundation.start(wrong)).rejects.toMatchObject({ code: "invalid_options" });
});
