import { heavy } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HeavyHost } from "../../dist/ts/beam/heavy-host.js";
import { HeavyPool, planHeavyPool } from "../../dist/ts/beam/heavy-pool.js";

/** An isolate that comes up, or ends, when the test says so. */
class MadeUp {
  isTerminated = false;
  #ready: () => void = () => {};
  #fail: (why: Error) => void = () => {};
  end: (reason: unknown) => void = () => {};
  readonly ended = new Promise<{ reason: unknown }>((resolve) => {
    this.end = (reason) => resolve({ reason });
  });
  readonly #isReady = new Promise<void>((resolve, reject) => {
    this.#ready = resolve;
    this.#fail = reject;
  });

  async ready(): Promise<void> {
    return this.#isReady;
  }

  async terminate(): Promise<void> {
    this.isTerminated = true;
  }

  async comeUp(): Promise<void> {
    this.#ready();
    await vi.advanceTimersByTimeAsync(0);
  }

  async failWith(text: string): Promise<void> {
    this.#fail(new Error(text));
    await vi.advanceTimersByTimeAsync(0);
  }
}

let booted: MadeUp[];
beforeEach(() => {
  booted = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const limits = (heapMiB?: number, youngMiB?: number) => ({ heapMiB, youngMiB });

function poolOf(idle: number, heapMiB?: number): HeavyPool<MadeUp> {
  const boot = (): MadeUp => {
    const isolate = new MadeUp();
    booted.push(isolate);
    return isolate;
  };
  const plan = { idle, ...limits(heapMiB), preload: [] };
  return new HeavyPool(plan, boot, async (isolate) => isolate.ready());
}

describe("a pool of isolates", () => {
  test("brings up one at a time, with pauses, until it has enough", async () => {
    const pool = poolOf(2);
    expect(pool.counts()).toMatchObject({ idle: 0, booting: 1 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(booted).toHaveLength(1);
    await booted[0]?.comeUp();
    expect(pool.counts()).toMatchObject({ idle: 1, booting: 0 });
    await vi.advanceTimersByTimeAsync(100);
    await booted[1]?.comeUp();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(booted).toHaveLength(2);
    expect(pool.counts()).toMatchObject({ idle: 2, booting: 0, taken: 0, coldStarts: 0, lost: 0 });
  });

  test("gives the one that waits longest, and replaces it after a pause", async () => {
    const pool = poolOf(1);
    await booted[0]?.comeUp();
    expect(pool.take(limits())).toBe(booted[0]);
    expect(booted).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(100);
    await booted[1]?.comeUp();
    expect(pool.counts()).toMatchObject({ idle: 1, taken: 1, coldStarts: 0 });
  });

  test("has none for another heap limit, nor while it is empty, and counts both", async () => {
    const pool = poolOf(1, 64);
    expect(pool.take(limits(64))).toBeUndefined();
    await booted[0]?.comeUp();
    expect(pool.take(limits())).toBeUndefined();
    expect(pool.take(limits(32))).toBeUndefined();
    expect(pool.take(limits(64, 8))).toBeUndefined();
    expect(pool.take(limits(64))).toBe(booted[0]);
    expect(pool.counts()).toMatchObject({ taken: 1, coldStarts: 4 });
  });

  test("replaces one that ends while it waits, and says why it did", async () => {
    const pool = poolOf(1);
    await booted[0]?.comeUp();
    booted[0]?.end({ kind: "exitCode", code: 3 });
    await vi.advanceTimersByTimeAsync(0);
    expect(pool.counts()).toMatchObject({ idle: 0, lost: 1 });
    expect(pool.counts().lastLoss).toContain("3");
    await vi.advanceTimersByTimeAsync(200);
    expect(booted).toHaveLength(2);
  });

  test("tries ever less often where none comes up, and at once again when one has", async () => {
    const pool = poolOf(1);
    for (let failure = 0; failure < 20; failure++) {
      await booted.at(-1)?.failWith("no such module");
      await vi.advanceTimersByTimeAsync(30_000);
      expect(booted).toHaveLength(failure + 2);
    }
    expect(booted[0]?.isTerminated).toBe(true);
    await booted.at(-1)?.failWith("no such module");
    await vi.advanceTimersByTimeAsync(29_999);
    expect(pool.counts()).toMatchObject({
      booting: 0,
      lost: 21,
      lastLoss: "Error: no such module",
    });
    await vi.advanceTimersByTimeAsync(1);
    await booted.at(-1)?.comeUp();
    pool.take(limits());
    await vi.advanceTimersByTimeAsync(100);
    expect(pool.counts()).toMatchObject({ booting: 1 });
  });

  test("that is closed ends what waits and what is on its way, and starts no more", async () => {
    const pool = poolOf(2);
    await booted[0]?.comeUp();
    await vi.advanceTimersByTimeAsync(100);
    pool.close();
    await booted[1]?.comeUp();
    expect(booted.map(({ isTerminated }) => isTerminated)).toEqual([true, true]);
    expect(pool.take(limits())).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(booted).toHaveLength(2);
  });
});

describe("heavyPool", () => {
  test("keeps nothing unless it is asked to", () => {
    expect(planHeavyPool(undefined, "library")).toBeUndefined();
    expect(planHeavyPool({}, "library")).toBeUndefined();
  });

  test("loads the package, and what it is told", () => {
    const preload = [new URL("file:///a.mjs"), "b"];
    const options = { idle: 2, heapMiB: 64, youngMiB: 8 };
    const plan = { ...options, preload: ["library", "file:///a.mjs", "b"] };
    expect(planHeavyPool({ ...options, preload }, "library")).toEqual(plan);
  });

  test.each([
    [{ idle: -1 }, /idle/],
    [{ idle: 65 }, /0 to 64/],
    [{ idle: 1.5 }, /idle/],
    [{ idle: 1, heapMiB: 1 }, /heapMiB/],
    [{ idle: 1, youngMiB: 0 }, /youngMiB/],
    [{ idle: 1, preload: "a" }, /preload/],
    [{ idle: 1, preload: ["./a.mjs"] }, /relative/],
    [{ idle: 1, preload: ["file:///a.ts"] }, /TypeScript/],
    [{ idel: 1 }, /did you mean 'idle'/],
  ])("%j is refused", (options, message) => {
    expect(() => planHeavyPool(options as never, "library")).toThrow(
      expect.objectContaining({ code: "invalid_options", message: expect.stringMatching(message) }),
    );
  });
});

describe("a start that cannot begin", () => {
  test("leaves no guard behind", async () => {
    vi.useRealTimers();
    const verdict = vi.fn(() => undefined);
    const watchdog = { guard: () => ({ id: 1, verdict }) };
    const node = { name: "nowhere", handle: () => () => {} };
    const host = new HeavyHost(node as never, watchdog as never, undefined);
    const start = heavy({ module: "some-module", stallMs: 100 });
    const options = { mailbox: { policy: () => "a function does not travel" } };
    await expect(host.start(start, [], options as never, undefined)).rejects.toMatchObject({
      code: "unencodable",
    });
    expect(verdict).toHaveBeenCalledOnce();
  });
});
