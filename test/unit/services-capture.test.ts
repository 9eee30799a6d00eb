import { beforeEach, describe, expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import type { CapturedEvent } from "../../dist/ts/index.js";
import {
  processingOf,
  ringsOf,
  tracingOf,
} from "../../dist/ts/services/capture/capture-settings.js";
import { CaptureScene, typesOf } from "./capture-scene.ts";
import { codeOf } from "./thrown-code.ts";

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("batches", () => {
  let scene: CaptureScene;
  let batches: (readonly CapturedEvent[])[];

  beforeEach(() => {
    scene = new CaptureScene();
    batches = [];
    scene.core.subscribe((batch) => void batches.push(batch));
  });

  test("go out as soon as they are full", () => {
    scene.record("a", "b");
    expect(typesOf(batches)).toEqual([]);
    scene.record("c");
    expect(typesOf(batches)).toEqual(["abc"]);
  });

  test("go out when the flush interval is over, however small", () => {
    scene.record("a");
    scene.clock.advance(49);
    expect(typesOf(batches)).toEqual([]);
    scene.clock.advance(1);
    expect(typesOf(batches)).toEqual(["a"]);
    expect(scene.clock.pending).toBe(0);
  });

  test("need no timer while nothing is recorded", () => {
    expect(scene.clock.pending).toBe(0);
    scene.record("a", "b", "c");
    expect(scene.clock.pending).toBe(0);
    expect(scene.ring.armedFor).toBe(1);
  });

  test("are of the size that the configuration says now", () => {
    scene.processing["batchSize"] = 1;
    scene.core.reconfigure();
    scene.record("a", "b");
    expect(typesOf(batches)).toEqual(["a", "b"]);
  });

  test("go by a flush interval that was changed while one ran", () => {
    scene.processing["flushInterval"] = 1_000_000;
    scene.record("a");
    scene.processing["flushInterval"] = 5;
    scene.core.reconfigure();
    scene.clock.advance(5);
    expect(typesOf(batches)).toEqual(["a"]);
  });

  test("let timers and I/O have their turn when there are many", () => {
    scene.processing["batchSize"] = 1;
    for (let index = 0; index < 40; index++) scene.ring.records.push(recordOf(index));
    scene.core.wake();
    expect(batches.length).toBe(32);
    scene.clock.advance(1);
    expect(batches.length).toBe(40);
  });

  test("are put into the order of their stamps", () => {
    scene.ring.records.push(recordOf(2), recordOf(1), recordOf(3));
    scene.core.wake();
    expect(typesOf(batches)).toEqual(["123"]);
  });

  test("go on for all others when a subscriber leaves", () => {
    const other: (readonly CapturedEvent[])[] = [];
    const stop = scene.core.subscribe((batch) => void other.push(batch));
    scene.record("a", "b", "c");
    stop();
    scene.record("d", "e", "f");
    expect([typesOf(batches), typesOf(other)]).toEqual([["abc", "def"], ["abc"]]);
    const figures = { batches: 2, delivered: 6, stored: 0, failed: 0, queued: 0 };
    expect(scene.core.processing).toEqual(figures);
  });

  test("that are flushed go at once", async () => {
    scene.record("a");
    await scene.core.flush();
    expect(typesOf(batches)).toEqual(["a"]);
    expect(scene.clock.pending).toBe(0);
  });

  test("that come while a flush is under way wait for their own time", async () => {
    scene.core.subscribe(() => scene.record("x"));
    scene.record("a", "b");
    await scene.core.flush();
    expect(typesOf(batches)).toEqual(["ab"]);
    scene.clock.advance(50);
    expect(typesOf(batches)).toEqual(["ab", "x"]);
  });

  test("that come while the service closes stay", () => {
    scene.core.subscribe((batch) => scene.record(...batch.map(() => "x")));
    scene.record("a", "b");
    scene.core.close();
    expect(typesOf(batches)).toEqual(["ab"]);
    expect(scene.ring.records.length).toBe(2);
  });

  test("are flushed although their subscriber leaves in the middle", async () => {
    const alone = new CaptureScene();
    alone.processing["batchSize"] = 1;
    for (let index = 0; index < 70; index++) alone.ring.records.push(recordOf(index));
    const stop = alone.core.subscribe(() => {}); // the first 32 go
    const flushed = alone.core.flush(); // the next 32, and the rest in another turn
    stop();
    alone.clock.advance(1);
    await flushed;
    expect(alone.ring.records.length).toBe(6);
  });

  test("that are there when the service closes go out", () => {
    scene.record("a");
    scene.core.close();
    scene.record("b");
    scene.clock.advance(1_000);
    expect(typesOf(batches)).toEqual(["a"]);
  });
});

function recordOf(sequence: number) {
  return { timestampMs: 1, sequence, value: [String(sequence)] };
}

describe("records that nobody wants", () => {
  test("stay in the ring for whoever comes", () => {
    const scene = new CaptureScene();
    scene.record("a", "b", "c", "d");
    scene.clock.advance(1_000);
    expect(scene.ring.records.length).toBe(4);
    const batches: (readonly CapturedEvent[])[] = [];
    scene.core.subscribe((batch) => void batches.push(batch));
    scene.clock.advance(50);
    expect(typesOf(batches).join("")).toBe("abcd");
  });

  test("are not waited for by a flush", async () => {
    const scene = new CaptureScene();
    scene.record("a");
    await scene.core.flush();
    expect(scene.ring.records.length).toBe(1);
  });
});

describe("a sink", () => {
  test("gets one batch after the other, each when it has the one before", async () => {
    const waiting: (() => void)[] = [];
    const stored: (readonly CapturedEvent[])[] = [];
    const scene = new CaptureScene({
      storeBatch: async (batch) => {
        stored.push(batch);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return 0;
      },
    });
    scene.record("a", "b", "c", "d", "e", "f");
    expect(typesOf(stored)).toEqual(["abc"]);
    waiting.shift()?.();
    await turn();
    expect(typesOf(stored)).toEqual(["abc", "def"]);
    expect(scene.core.processing).toMatchObject({ stored: 3, queued: 3 });
  });

  test("that is slow leaves in the ring what its queue has no room for", async () => {
    let release = (): void => {};
    const scene = new CaptureScene({
      storeBatch: async () => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return 0;
      },
    });
    scene.record(..."abcdefghij");
    expect(scene.core.processing.queued).toBe(6);
    expect(scene.ring.records.length).toBe(4);
    release();
    await turn();
    expect(scene.core.processing).toMatchObject({ stored: 3, queued: 6 });
    expect(scene.ring.records.length).toBe(1);
  });

  test("that fails loses its batch, which is counted and told", () => {
    const scene = new CaptureScene({
      storeBatch: (batch) => {
        if (batch[0]?.type === "a") throw new Error("disk full");
        return 0;
      },
    });
    scene.record(..."abcdef");
    expect(scene.core.processing).toMatchObject({ stored: 3, failed: 3, queued: 0 });
    expect(scene.logged).toEqual(["captured events were lost: their sink failed"]);
    expect(scene.told).toEqual([[["foundation", "capture", "sink_failed"], { counter: 3 }]]);
  });

  test("that takes a part of a batch says how many it could not take", async () => {
    const scene = new CaptureScene({ storeBatch: async () => 1 });
    scene.record(..."abc");
    await turn();
    expect(scene.core.processing).toMatchObject({ stored: 2, failed: 1, queued: 0 });
    expect(scene.told).toEqual([[["foundation", "capture", "sink_failed"], { counter: 1 }]]);
  });

  test("whose promise fails loses its batch, too", async () => {
    const scene = new CaptureScene({ storeBatch: async () => Promise.reject(new Error("no")) });
    scene.record(..."abc");
    await turn();
    expect(scene.core.processing).toMatchObject({ failed: 3, queued: 0 });
  });

  test("whose service is being started again is asked again", () => {
    let isUp = false;
    const stored: (readonly CapturedEvent[])[] = [];
    const scene = new CaptureScene({
      storeBatch: (batch) => {
        if (!isUp) throw new FoundationError("service_unavailable", "down");
        stored.push(batch);
        return 0;
      },
    });
    scene.record(..."abcdef");
    expect(scene.core.processing).toMatchObject({ queued: 6, failed: 0 });
    isUp = true;
    scene.clock.advance(100);
    expect(typesOf(stored)).toEqual(["abc", "def"]);
  });

  test("has everything that was recorded when a flush resolves", async () => {
    const stored: (readonly CapturedEvent[])[] = [];
    const scene = new CaptureScene({
      storeBatch: async (batch) => {
        await turn();
        stored.push(batch);
        return 0;
      },
    });
    scene.record(..."abcdefghij");
    await scene.core.flush();
    expect(typesOf(stored).join("")).toBe("abcdefghij");
    expect(scene.core.processing).toMatchObject({ stored: 10, queued: 0 });
  });
});

/** A sink that takes the batches that a test tells it to take. */
function slowScene() {
  const waiting: (() => void)[] = [];
  const stored: (readonly CapturedEvent[])[] = [];
  const scene = new CaptureScene({
    storeBatch: async (batch) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      stored.push(batch);
      return 0;
    },
  });
  const take = async (): Promise<void> => {
    waiting.shift()?.();
    await turn();
  };
  return { scene, stored, take };
}

describe("a flush", () => {
  test("waits for what was there when it began, and for nothing later", async () => {
    const { scene, stored, take } = slowScene();
    scene.record("a", "b");
    let isFlushed = false;
    const flushed = scene.core.flush().then(() => {
      isFlushed = true;
    });
    scene.record("c", "d", "e");
    await turn();
    expect(isFlushed).toBe(false);
    await take();
    await flushed;
    expect([typesOf(stored), scene.core.processing.queued]).toEqual([["ab"], 3]);
  });

  test("does not wait for records that were dropped for newer ones", async () => {
    const { scene, take } = slowScene();
    scene.record(..."abcdefgh");
    const flushed = scene.core.flush();
    scene.ring.records.length = 0;
    await take();
    await take();
    await flushed;
    expect(scene.core.processing).toMatchObject({ stored: 6, queued: 0 });
  });

  test("fails where the process of the service is killed before all is stored", async () => {
    const { scene, take } = slowScene();
    scene.record("a");
    const flushed = scene.core.flush();
    scene.core.stop();
    const refused = { code: "service_unavailable", numericCode: 28_700 };
    await expect(flushed).rejects.toMatchObject(refused);
    await expect(scene.core.flush()).rejects.toMatchObject(refused);
    scene.restart();
    const again = scene.core.flush();
    await take();
    await again;
    expect(scene.core.processing).toMatchObject({ stored: 1, queued: 0 });
  });

  test("fails where the service closes before all is stored", async () => {
    const { scene } = slowScene();
    scene.record("a");
    const flushed = scene.core.flush();
    scene.core.close();
    await expect(flushed).rejects.toMatchObject({ code: "service_unavailable" });
    expect(scene.core.processing).toMatchObject({ stored: 0, queued: 1 });
  });
});

test.each([
  [51, { stored: 1, failed: 0 }],
  [52, { stored: 0, failed: 1 }],
])("a sink that is down for %d tries from the end of the service on: %j", (tries, outcome) => {
  let asked = 0;
  const scene = new CaptureScene({
    storeBatch: () => {
      if (++asked <= tries) throw new FoundationError("service_unavailable", "down");
      return 0;
    },
  });
  scene.record("a");
  scene.core.close();
  for (let turn = 0; turn < 200; turn++) scene.clock.advance(100);
  expect(scene.core.processing).toMatchObject({ ...outcome, queued: 0 });
  expect(asked).toBe(52);
  expect(scene.logged).toHaveLength(outcome.failed);
});

test("a sink that is slow gets all that is left when the service closes", async () => {
  const stored: (readonly CapturedEvent[])[] = [];
  const scene = new CaptureScene({
    storeBatch: async (batch) => {
      await turn();
      stored.push(batch);
      return 0;
    },
  });
  scene.record(..."abcdefghij");
  expect(scene.ring.records.length).toBe(4);
  scene.core.close();
  expect(scene.ring.records.length).toBe(0);
  for (let turns = 0; turns < 8; turns++) await turn();
  expect(typesOf(stored).join("")).toBe("abcdefghij");
});

describe("a service that was killed", () => {
  test("reads nothing until it is started again, then goes on for its subscribers", () => {
    const scene = new CaptureScene();
    const batches: (readonly CapturedEvent[])[] = [];
    scene.core.subscribe((batch) => void batches.push(batch));
    scene.record("a");
    scene.core.stop();
    scene.clock.advance(1_000);
    scene.record(..."bcd");
    expect(typesOf(batches)).toEqual([]);
    scene.restart();
    scene.clock.advance(50);
    expect(typesOf(batches).join("")).toBe("abcd");
  });

  test("stores a batch that was under way once", async () => {
    const stored: (readonly CapturedEvent[])[] = [];
    const scene = new CaptureScene({
      storeBatch: async (batch) => {
        await turn();
        stored.push(batch);
        return 0;
      },
    });
    scene.record(..."abcdef");
    scene.restart();
    await scene.core.flush();
    expect(typesOf(stored)).toEqual(["abc", "def"]);
    expect(scene.core.processing).toMatchObject({ batches: 2, stored: 6, failed: 0 });
  });
});

describe("settings", () => {
  const config = (capture: object) => ({
    getWithDefault: (path: readonly string[], otherwise: unknown): unknown =>
      Reflect.get(capture, path[1] ?? "") ?? otherwise,
  });

  test("say how the rings are made; a size is rounded up to a power of two", () => {
    const ringBuffer = {
      ...{ size: 1_500, maxEvents: 5_000, overflowStrategy: "block", numBuffers: 3 },
    };
    expect(ringsOf(config({ ringBuffer }), 512)).toEqual({
      ...{ rings: 3, slots: 2_048, recordsMax: 2_048, recordBytesMax: 512, overflow: "block" },
    });
  });

  test("are those of Foundation 1.x where nobody says otherwise", () => {
    const plan = ringsOf(config({}), 512);
    expect(plan).toMatchObject({ slots: 1_024, recordsMax: 1_000, overflow: "drop_oldest" });
    expect(plan.rings).toBeGreaterThan(0);
    const processing = { batchSize: 100, flushIntervalMs: 50, queueSize: 1_000 };
    expect(processingOf(config({}))).toEqual(processing);
    const traced = { spawn: true, exit: true, message: false, children: true };
    expect(tracingOf(config({}))).toEqual(traced);
  });

  test.each([
    [{ size: 2 ** 20 + 1 }, 512, "capture.ringBuffer.size"],
    [{ numBuffers: 65 }, 512, "capture.ringBuffer.numBuffers"],
    [{}, 2 ** 20 + 1, "recordBytesMax"],
  ])("above what a ring can have are named: %o", (ringBuffer, bytes, name) => {
    const asked = () => ringsOf(config({ ringBuffer }), bytes);
    expect(codeOf(asked)).toEqual(["capture_limit", 28_703]);
    expect(asked).toThrow(name);
  });
});
