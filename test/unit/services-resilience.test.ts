import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import {
  type BackoffDelayOptions,
  backoffMs,
  planBackoff,
} from "../../ts/services/infrastructure/resilience/backoff.ts";
import { BackoffWindow } from "../../ts/services/infrastructure/resilience/backoff-window.ts";
import { Dispatch } from "../../ts/services/infrastructure/resilience/dispatch.ts";
import {
  httpRetry,
  httpRetryDelayMs,
  isWorthRetrying,
  retryAfterMs,
} from "../../ts/services/infrastructure/resilience/http-retry.ts";
import { poll } from "../../ts/services/infrastructure/resilience/poller.ts";
import {
  ENDLESS_RETRY,
  planRetry,
  type RetryRunOptions,
  retry,
} from "../../ts/services/infrastructure/resilience/retry.ts";
import {
  CountingSemaphore,
  Limiter,
  WeightedSemaphore,
} from "../../ts/services/infrastructure/resilience/semaphores.ts";

const half = (): number => 0.5;
const delays = (options: BackoffDelayOptions, count = 6): number[] =>
  Array.from({ length: count }, (_, i) => backoffMs(i, planBackoff(options), half));
const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const unusable = expect.objectContaining({ code: "invalid_options" });

describe("back-off", () => {
  test.each<[BackoffDelayOptions, number[]]>([
    [{}, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]],
    [{ kind: "linear", baseMs: 100, maxMs: 350 }, [100, 200, 300, 350, 350, 350]],
    [{ kind: "constant", baseMs: 7 }, [7, 7, 7, 7, 7, 7]],
  ])("of %j is %j", (options, expected) => {
    expect(delays(options)).toEqual(expected);
  });

  test("never overflows, however often it failed", () => {
    expect(backoffMs(5_000, planBackoff())).toBe(10_000);
  });

  test.each<[BackoffDelayOptions["jitter"], number, number]>([
    [{ kind: "factor", factor: 0.5 }, 5_000, 10_000],
    [{ kind: "additive", ms: 300 }, 10_000, 10_300],
    [{ kind: "range", min: 0.75, max: 1.25 }, 7_500, 12_500],
  ])("is capped before the jitter %j", (jitter, least, most) => {
    const plan = planBackoff({ ...(jitter !== undefined && { jitter }) });
    const ends = [backoffMs(9, plan, () => 0), backoffMs(9, plan, () => 1)].sort((a, b) => a - b);
    expect(ends).toEqual([least, most]);
  });

  test.each([
    { kind: "fibonacci" },
    { baseMs: -1 },
    { maxMs: Number.NaN },
    { jitter: 0.5 },
    { jitter: { kind: "factor", factor: 2 } },
    { jitter: { kind: "range", min: 2, max: 1 } },
    { jitter: { kind: "gauss" } },
    { base: 5 },
  ])("is refused as %j", (options) => {
    expect(() => planBackoff(options as never)).toThrow(unusable);
  });
});

describe("retry", () => {
  /** Fails so often, then answers. */
  function scene(failures: number, options: RetryRunOptions = {}) {
    const clock = new ManualClock();
    const times: number[] = [];
    const call = retry(
      ({ attempt }) => {
        times.push(clock.now());
        if (attempt <= failures) throw new Error(`failure ${attempt}`);
        return "answer";
      },
      { clock, ...options },
    );
    return { clock, times, call };
  }

  test("waits longer each time, and answers", async () => {
    const { clock, times, call } = scene(2);
    await clock.advanceAsync(3_000);
    await expect(call).resolves.toBe("answer");
    expect(times).toEqual([0, 1_000, 3_000]);
  });

  test("throws what the last attempt threw", async () => {
    const { clock, times, call } = scene(9, { maxAttempts: 2 });
    const failed = expect(call).rejects.toThrow("failure 2");
    await clock.advanceAsync(10_000);
    await failed;
    expect(times.length).toBe(2);
  });

  test("does not begin a wait that nothing can follow", async () => {
    const { clock, times, call } = scene(9, { maxAttempts: "unbounded", maxElapsedMs: 2_999 });
    const failed = expect(call).rejects.toMatchObject({
      ...{ code: "max_elapsed", cause: expect.objectContaining({ message: "failure 2" }) },
    });
    await clock.advanceAsync(1_000);
    await failed;
    expect([times, clock.pending]).toEqual([[0, 1_000], 0]);
  });

  test("goes on as long as there is progress", async () => {
    const clock = new ManualClock();
    const options = { ...ENDLESS_RETRY, clock, random: () => 0, progressTimeoutMs: 5_000 };
    let last = 0;
    const call = retry(({ attempt, progress }) => {
      last = attempt;
      if (attempt < 8) progress();
      throw new Error("not yet");
    }, options);
    const failed = expect(call).rejects.toMatchObject({ code: "progress_timeout" });
    await clock.advanceAsync(3_600_000);
    await failed;
    expect(last).toBe(8); // the wait before it was 10 s, and it made no progress
  });

  test("asks what is worth another attempt, and when", async () => {
    const clock = new ManualClock();
    const waits: number[] = [];
    let status = 503;
    const call = retry(() => status, {
      clock,
      retryOn: (result) => result.ok && result.value === 503,
      retryAfterMs: () => 40,
      onRetry: (attempt, delayMs) => {
        waits.push(attempt, delayMs);
        status = 200;
      },
    });
    await clock.advanceAsync(40);
    await expect(call).resolves.toBe(200);
    expect(waits).toEqual([1, 40]);
  });

  test("ends when it is aborted, during a wait or before", async () => {
    const control = new AbortController();
    const { clock, call } = scene(9, { signal: control.signal });
    await settled();
    control.abort();
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    await expect(scene(0, { signal: control.signal }).call).rejects.toMatchObject({
      code: "aborted",
    });
    expect(clock.pending).toBe(0);
  });

  test.each([
    { maxAttempts: 0 },
    { maxElapsedMs: -1 },
    { progressTimeoutMs: Number.NaN },
    { retryOn: 5 },
    { attempts: 3 },
  ])("is refused as %j", (options) => {
    expect(() => planRetry(options as never)).toThrow(unusable);
  });
});

describe("the rules of HTTP", () => {
  const WALL_MS = Date.UTC(1994, 10, 6, 8, 49, 0);
  const answered = (statusCode: number, headers: Record<string, string> = {}) => ({
    statusCode,
    headers,
  });

  test.each([
    [200, false],
    [400, false],
    [404, false],
    [408, true],
    [409, true],
    [429, true],
    [500, true],
    [503, true],
    [599, true],
  ])("say of the status %i: %s", (status, expected) => {
    expect(isWorthRetrying("GET", answered(status))).toBe(expected);
  });

  test("may differ by method, and a server may have its say", () => {
    const options = { byMethod: { POST: [429] } };
    expect(isWorthRetrying("post", answered(503), options)).toBe(false);
    expect(isWorthRetrying("POST", answered(429), options)).toBe(true);
    expect(isWorthRetrying("GET", answered(503), options)).toBe(true);
    expect(isWorthRetrying("GET", answered(404, { "x-should-retry": "true" }))).toBe(true);
    expect(isWorthRetrying("GET", answered(503, { "x-should-retry": "false" }))).toBe(false);
  });

  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ "retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "1.5" }, 1.5],
    [{ "retry-after-ms": "soon" }, 1_000],
    [{ "retry-after": "3" }, 3_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }, 37_000],
    [{ "retry-after": "Sunday, 06-Nov-94 08:49:37 GMT" }, 37_000],
    [{ "retry-after": "Sun Nov  6 08:49:37 1994" }, 37_000],
    [{ "retry-after": "Sun, 06 Nov 1994 08:48:00 GMT" }, 0],
    [{ "retry-after": "tomorrow" }, 1_000],
    [{ "retry-after": "Sun, 06 Xyz 1994 08:49:37 GMT" }, 1_000],
  ])("read the delay of %j as %s ms", (headers, expected) => {
    expect(retryAfterMs(answered(429, headers), WALL_MS)).toBe(expected);
  });

  test("wait by themselves where no delay is named", () => {
    const waits = [0, 1, 9].map((n) => httpRetryDelayMs(n, answered(503), WALL_MS, () => 0));
    expect(waits).toEqual([375, 750, 7_500]);
    expect(httpRetryDelayMs(0, answered(503), WALL_MS, () => 1)).toBe(500);
    expect(httpRetryDelayMs(0, answered(429, { "retry-after": "2" }), WALL_MS)).toBe(2_000);
  });

  test("make a policy for functions that answer with responses", async () => {
    const clock = new ManualClock();
    const answers = [answered(503, { "retry-after-ms": "40" }), answered(200)];
    const call = retry(() => answers.shift(), { clock, ...httpRetry("GET") });
    await clock.advanceAsync(40);
    await expect(call).resolves.toEqual(answered(200));
    const { retryOn } = planRetry(httpRetry("GET"));
    const coded = (code: string) => ({ ok: false as const, error: { code } });
    expect(
      ["network_error", "timeout", "too_many_redirects"].map((it) => retryOn(coded(it), 1)),
    ).toEqual([true, true, false]);
  });
});

describe("a counting semaphore", () => {
  test("admits so many, then who came first", async () => {
    const clock = new ManualClock();
    const semaphore = new CountingSemaphore(2, clock);
    const [first] = [semaphore.tryAcquire(), semaphore.tryAcquire()];
    expect(semaphore.tryAcquire()).toBeUndefined();
    const order: number[] = [];
    const waits = [1, 2].map(async (n) => {
      const release = await semaphore.acquire();
      order.push(n);
      return release;
    });
    expect([semaphore.inUse, semaphore.waiting]).toEqual([2, 2]);
    first?.();
    first?.(); // once is enough
    await settled();
    expect([order, semaphore.inUse]).toEqual([[1], 2]);
    (await waits[0])?.();
    await settled();
    expect(order).toEqual([1, 2]);
  });

  test("lets nobody wait longer than they will, or more than it may", async () => {
    const clock = new ManualClock();
    const semaphore = new CountingSemaphore(0, clock, 1);
    const wait = semaphore.acquire({ timeoutMs: 50 });
    await expect(semaphore.acquire()).rejects.toMatchObject({ code: "too_many_waiting" });
    const late = expect(wait).rejects.toMatchObject({ code: "timeout", numericCode: 4301 });
    await clock.advanceAsync(50);
    await late;
    expect([semaphore.waiting, clock.pending]).toEqual([0, 0]);
    await expect(
      semaphore.acquire({ signal: AbortSignal.abort(), timeoutMs: 5 }),
    ).rejects.toMatchObject({ code: "aborted" });
  });

  test("admits more when it grows, and fewer when it shrinks", async () => {
    const semaphore = new CountingSemaphore(1);
    const release = semaphore.tryAcquire();
    const wait = semaphore.acquire();
    semaphore.resize(2);
    await wait;
    semaphore.resize(1);
    release?.();
    expect([semaphore.inUse, semaphore.tryAcquire()]).toEqual([1, undefined]);
  });
});

describe("a weighted semaphore", () => {
  test("may be overdrawn once, and is fair to large wishes", async () => {
    const semaphore = new WeightedSemaphore(10);
    const large = semaphore.tryAcquire(25);
    expect([semaphore.left, semaphore.tryAcquire(1)]).toEqual([-15, undefined]);
    const order: string[] = [];
    const first = semaphore.acquire(30).then((release) => {
      order.push("large");
      return release;
    });
    const second = semaphore.acquire(1).then(() => order.push("small"));
    large?.();
    await settled();
    expect([order, semaphore.left, semaphore.waiting]).toEqual([["large"], -20, 1]);
    (await first)();
    await second;
    expect([order, semaphore.left]).toEqual([["large", "small"], 9]);
  });

  test.each([-1, Number.NaN])("refuses the weight %s", (weight) => {
    expect(() => new WeightedSemaphore(1).tryAcquire(weight)).toThrow(unusable);
  });
});

describe("a limiter", () => {
  test("has a semaphore for each name, of the size last asked for", async () => {
    const limiter = new Limiter();
    const finish: (() => void)[] = [];
    const run = async (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    const calls = ["a", "a", "b"].map(async (name) => limiter.run(name, 1, run));
    await settled();
    expect([finish.length, limiter.find("a")?.waiting]).toEqual([2, 1]);
    calls.push(limiter.run("a", 3, run));
    await settled();
    expect(finish.length).toBe(4);
    for (const each of finish) each();
    await Promise.all(calls);
    expect(limiter.find("a")?.inUse).toBe(0);
    expect(limiter.find("c")).toBeUndefined();
  });

  test("takes over every change of a size, also beside those who are at work", async () => {
    const limiter = new Limiter();
    const semaphore = limiter.of("a", 3, 0);
    for (let i = 0; i < 3; i++) semaphore.tryAcquire();
    expect([limiter.of("a", 2, 0).permits, semaphore.inUse]).toEqual([2, 3]);
    expect(limiter.of("a", 3, 0).permits).toBe(3);
    await expect(semaphore.acquire()).rejects.toMatchObject({ code: "too_many_waiting" });
    limiter.of("a", 3, 1);
    void semaphore.acquire();
    expect(semaphore.waiting).toBe(1);
  });

  test("forgets names that nobody uses", () => {
    const limiter = new Limiter();
    for (let i = 0; i < 10_001; i++) limiter.of(`name ${i}`, 1);
    expect([limiter.find("name 0"), limiter.find("name 10000")?.available]).toEqual([undefined, 1]);
  });
});

describe("a back-off window", () => {
  test("is only ever extended", async () => {
    const clock = new ManualClock();
    const window = new BackoffWindow(clock);
    window.extend("a", 100);
    window.extend("a", 50);
    expect([window.remainingMs("a"), window.isActive("b")]).toEqual([100, false]);
    let isOver = false;
    const wait = window.wait("a").then(() => (isOver = true));
    await clock.advanceAsync(60);
    window.extend("a", 100);
    await clock.advanceAsync(60);
    expect(isOver).toBe(false);
    await clock.advanceAsync(40);
    await wait;
    window.extend("a", 10);
    window.clear("a");
    expect(window.remainingMs("a")).toBe(0);
    expect(() => window.extend("a", Number.NaN)).toThrow(unusable);
  });
});

describe("dispatch", () => {
  test("sends little, and little at a time, after it was told to hold back", async () => {
    const clock = new ManualClock();
    const dispatch = new Dispatch({
      ...{ clock, concurrency: 5, throttledConcurrency: 2, byteBudget: 1_000 },
      ...{ throttledByteFactor: 20, throttledForMs: 500 },
    });
    const finish: (() => void)[] = [];
    const run = async (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    const start = (count: number, bytes = 10) =>
      Array.from({ length: count }, async () => dispatch.run(bytes, run));
    const end = async (): Promise<void> => {
      while (finish.length > 0) {
        finish.shift()?.();
        await settled();
      }
    };
    const calls = start(6);
    await settled();
    expect([finish.length, dispatch.load]).toEqual([
      5,
      { requests: 5, bytesLeft: 950, waiting: 1 },
    ]);
    await end();

    dispatch.holdBack(100);
    calls.push(...start(3));
    await settled();
    expect([finish.length, dispatch.load.bytesLeft]).toEqual([0, 600]); // 2 x 10 bytes x 20
    await clock.advanceAsync(100);
    expect([finish.length, dispatch.isThrottled]).toEqual([2, true]);
    await clock.advanceAsync(500);
    expect(dispatch.isThrottled).toBe(false);
    await end();
    await Promise.all(calls);
    expect(dispatch.load).toEqual({ requests: 0, bytesLeft: 1_000, waiting: 0 });
  });

  test("keeps to its bytes", async () => {
    const dispatch = new Dispatch({ byteBudget: 100 });
    const finish: (() => void)[] = [];
    const run = async (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    const calls = [60, 60, 60].map(async (bytes) => dispatch.run(bytes, run));
    await settled();
    expect([finish.length, dispatch.load.bytesLeft]).toEqual([2, -20]);
    finish.shift()?.();
    await settled();
    expect(finish.length).toBe(2);
    for (const each of finish) each();
    await Promise.all(calls);
  });

  test.each([{ concurrency: 0 }, { byteBudget: 0.5 }, { throttledByteFactor: 0 }, { bytes: 1 }])(
    "is refused as %j",
    (options) => expect(() => new Dispatch(options as never)).toThrow(unusable),
  );
});

describe("a poll", () => {
  test("looks until there is an end to see", async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const call = poll<string>(
      (attempt) => {
        times.push(clock.now());
        if (attempt === 1) return { kind: "retry" };
        return attempt === 2 ? { kind: "retry", delayMs: 50 } : { kind: "ok", value: "done" };
      },
      { clock, backoff: { kind: "constant", baseMs: 200 } },
    );
    await clock.advanceAsync(250);
    await expect(call).resolves.toBe("done");
    expect(times).toEqual([0, 200, 250]);
  });

  test("ends with the error of a look", async () => {
    const error = new Error("the job failed");
    await expect(poll(() => ({ kind: "error", error }))).rejects.toBe(error);
    await expect(poll(async () => Promise.reject(error))).rejects.toBe(error);
    await expect(poll(() => undefined as never)).rejects.toMatchObject({ code: "invalid_options" });
  });

  test("looks no longer and no more often than it may", async () => {
    const clock = new ManualClock();
    const never = { kind: "retry" } as const;
    const late = poll(() => never, { clock, timeoutMs: 1_500 });
    const tooLate = expect(late).rejects.toMatchObject({ code: "max_elapsed" });
    const often = poll(() => never, { clock, maxAttempts: 2 });
    const tooOften = expect(often).rejects.toMatchObject({ code: "max_attempts_exceeded" });
    const control = new AbortController();
    const aborted = expect(
      poll(() => never, { clock, signal: control.signal }),
    ).rejects.toMatchObject({ code: "aborted" });
    await clock.advanceAsync(1_000);
    await tooLate;
    await tooOften;
    control.abort();
    await aborted;
    expect(clock.pending).toBe(0);
  });
});
