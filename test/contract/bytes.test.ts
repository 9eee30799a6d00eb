import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FoundationNode, release, toOwned } from "../../dist/ts/index.js";
import { scenario } from "./child-program.ts";
import { startPair } from "./worker-under-test.ts";

const SCENARIOS = "./bytes-scenarios.mjs";
const WITH_GC = { nodeFlags: ["--expose-gc"] };
/** Larger than what travels inside of rings. Unit: bytes. */
const LARGE_BYTES = 100_000;

let home: FoundationNode;
let peer: FoundationNode;

beforeEach(async () => {
  [home, peer] = await startPair();
});

afterEach(async () => {
  await Promise.all([home.leave({ drainMs: 100 }), peer.leave({ drainMs: 100 })]);
});

/** Sends bytes to `home`, and answers with what its handler was given once it returned. */
async function received(
  bytes: Uint8Array,
  options?: { bytes: "copy" | "view" | "held" },
): Promise<Uint8Array> {
  const heard: Uint8Array[] = [];
  const stop = home.handle<Uint8Array>("bytes", (message) => void heard.push(message), options);
  await peer.call({ node: "home", name: "bytes" }, bytes);
  stop();
  return heard[0] as Uint8Array;
}

/** Traffic that overwrites every ring several times. */
async function overwriteRings(): Promise<void> {
  const stop = home.handle("noise", () => {});
  for (let index = 0; index < 200; index++) {
    const message = new Uint8Array(12_000).fill(0xee);
    while (!peer.send({ node: "home", name: "noise" }, message)) await peer.drained({ to: "home" });
  }
  await peer.call({ node: "home", name: "noise" }, 1);
  stop();
}

const isShared = (bytes: Uint8Array): boolean => bytes.buffer instanceof SharedArrayBuffer;
const slabsLive = (): number | undefined => home.metrics().slabs["live"];

describe("small bytes", () => {
  test("are the receiver's own by default, safe across await", async () => {
    for (const length of [0, 1, 100, 2_048, 2_049, 12_000]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index);
      const message = await received(bytes);
      await overwriteRings();
      expect(isShared(message)).toBe(false);
      expect(message.constructor).toBe(Uint8Array);
      expect(message).toEqual(bytes);
    }
  });

  test("are counted once they are copied", async () => {
    const before = home.metrics().isolate;
    await received(new Uint8Array(12_000));
    const after = home.metrics().isolate;
    expect(after.copies - before.copies).toBe(1);
    expect(after.copiedBytes - before.copiedBytes).toBe(12_000);
  });

  test("taken as views are not copied, and right inside of the handler", async () => {
    const bytes = Uint8Array.from({ length: 12_000 }, (_, index) => index);
    const before = home.metrics().isolate.copies;
    const inside: { isEqual: boolean; isShared: boolean }[] = [];
    home.handle<Uint8Array>(
      "bytes",
      (message) => {
        inside.push({ isEqual: Buffer.from(message).equals(bytes), isShared: isShared(message) });
      },
      { bytes: "view" },
    );
    await peer.call({ node: "home", name: "bytes" }, bytes);
    expect(inside).toEqual([{ isEqual: true, isShared: true }]);
    expect(home.metrics().isolate.copies).toBe(before);
  });
});

describe("large bytes", () => {
  const bytes = Uint8Array.from({ length: LARGE_BYTES }, (_, index) => index * 7);

  test("are the receiver's own by default, and so is every part of them", async () => {
    const whole = await received(bytes);
    expect(isShared(whole)).toBe(false);
    expect(slabsLive()).toBe(0);
    const part = whole.subarray(10, 90_000);
    await overwriteRings();
    await received(new Uint8Array(LARGE_BYTES).fill(0xee), { bytes: "view" });
    expect(Buffer.from(part).equals(bytes.subarray(10, 90_000))).toBe(true);
  });

  test("asked to be held are a view on shared memory until it is released, once", async () => {
    const message = await received(bytes, { bytes: "held" });
    await overwriteRings();
    expect(isShared(message)).toBe(true);
    expect(Buffer.from(message).equals(bytes)).toBe(true);
    expect(slabsLive()).toBe(1);
    expect(release(message)).toBe(true);
    expect(slabsLive()).toBe(0);
    expect(release(message)).toBe(false);
  });

  test("that are held are released by taking an owned copy", async () => {
    const message = await received(bytes, { bytes: "held" });
    const owned = toOwned(message);
    expect(isShared(owned)).toBe(false);
    expect(Buffer.from(owned).equals(bytes)).toBe(true);
    expect(slabsLive()).toBe(0);
    expect(release(message)).toBe(false);
    expect(toOwned(owned)).not.toBe(owned);
  });

  test("taken as views are given back when the handler returned", async () => {
    const message = await received(bytes, { bytes: "view" });
    expect(release(message)).toBe(false);
    expect(slabsLive()).toBe(0);
  });

  test("inside of a value are its own, and their slab is given back at once", async () => {
    const heard: unknown[] = [];
    home.handle("value", (message) => void heard.push(message));
    await peer.call({ node: "home", name: "value" }, { bytes });
    expect(heard).toEqual([
      { bytes: expect.toSatisfy((b: Uint8Array) => Buffer.from(b).equals(bytes)) },
    ]);
    expect(slabsLive()).toBe(0);
  });

  test("to a name that nobody handles hold nothing", async () => {
    peer.send({ node: "home", name: "nobody" }, bytes);
    await peer.call({ node: "home", name: "nobody" }, 1).catch(() => {});
    const deadlineMs = performance.now() + 5_000;
    while (slabsLive() !== 0 && performance.now() < deadlineMs) await turn();
    expect(slabsLive()).toBe(0);
  });
});

describe("bytes that are no received view", () => {
  test("have nothing to release, and are copied by toOwned all the same", () => {
    const own = new Uint8Array([1, 2]);
    expect(release(own)).toBe(false);
    expect(toOwned(own)).toEqual(own);
    expect(toOwned(own)).not.toBe(own);
  });
});

describe("a view that is kept", () => {
  test("is detached under NODE_ENV=development", async () => {
    const environment = { NODE_ENV: "development" };
    expect(await scenario(SCENARIOS, ["keptView"], { environment })).toEqual({
      inside: [[1, 2, 3]],
      after: { length: 0, isShared: false },
    });
  });

  test("is not detached in production, where it costs no copy", async () => {
    const environment = { NODE_ENV: "production" };
    expect(await scenario(SCENARIOS, ["keptView"], { environment })).toEqual({
      inside: [[1, 2, 3]],
      after: { length: 3, isShared: true },
    });
  });
});

describe("large messages that nobody releases", () => {
  test("are given back by the collector", async () => {
    expect(await scenario(SCENARIOS, ["collected"], WITH_GC)).toEqual({
      heard: 16 << 20,
      hadLive: true,
      live: 0,
    });
  });

  test("above 64 MiB an isolate are copies until there is room, and none is lost", async () => {
    interface Held {
      readonly expectedViews: number;
      readonly count: number;
    }
    const found = await scenario<Held>(SCENARIOS, ["heldByTheHundred"], WITH_GC);
    const others = found.count - found.expectedViews;
    expect(found).toMatchObject({
      views: found.expectedViews,
      others,
      areWhole: true,
      live: found.expectedViews,
      copies: others,
      copiedBytes: others << 20,
      released: found.expectedViews,
      liveAfter: 0,
      isViewAgain: true,
    });
  });

  test("may be released after their node left", async () => {
    expect(await scenario(SCENARIOS, ["heldBeyondLeave"], WITH_GC)).toEqual({
      length: 1 << 20,
      released: "true",
    });
  });
});
