import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { Utils } from "../../ts/services/toolkit/toolkit.ts";

describe("ids", () => {
  test("are positive, growing and never the same [F564]", () => {
    const ids = Array.from({ length: 1_000 }, () => Utils.generateId());
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.every(Utils.isValidPositiveInteger)).toBe(true);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test("of correlations are UUIDs of version 4, none twice [F565 F566]", () => {
    const ids = Array.from({ length: 1_000 }, () => Utils.generateCorrelationId());
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(ids.filter((id) => !form.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(1_000);
  });

  test.each([0, -1, 1.5, Number.NaN, "1", undefined])("do not include %s", (value) => {
    expect(Utils.isValidPositiveInteger(value)).toBe(false);
  });
});

describe("time", () => {
  test("is in ms that never go back, and in ns since 1970", () => {
    const first = Utils.monotonicTimestamp();
    expect(Utils.monotonicTimestamp()).toBeGreaterThanOrEqual(first);
    const apartMs = Number(Utils.wallTimestamp() / 1_000_000n) - Date.now();
    expect(Math.abs(apartMs)).toBeLessThan(60_000);
  });
});

describe("truncating", () => {
  test("returns small data unchanged [F567]", () => {
    const value = { a: [1, 2, 3] };
    expect(Utils.truncateIfLarge(value)).toBe(value);
  });

  test.each([
    ["a text", "x".repeat(20_000), 20_000, "x".repeat(100)],
    ["a list", Array.from({ length: 2_000 }, (_, n) => n), 32_008, "2000 items: [\n  0, 1"],
    ["an object", { long: "y".repeat(20_000), other: 1 }, 20_041, "2 keys: long, other"],
  ])("keeps size and beginning of %s [F568]", (_name, value, originalSize, beginning) => {
    const cut = Utils.truncateIfLarge<unknown>(value) as { preview: string };
    expect(cut).toMatchObject({ truncated: true, originalSize });
    expect(cut.preview.startsWith(beginning)).toBe(true);
    expect(cut.preview.length).toBeLessThan(130);
  });

  test("takes the limit that is given, and what contains itself", () => {
    const ring: Record<string, unknown> = { name: "n".repeat(50) };
    ring["self"] = ring;
    expect(Utils.truncateIfLarge(ring, 10)).toMatchObject({ truncated: true });
    expect(Utils.truncateIfLarge(ring)).toBe(ring);
  });
});

describe("nested objects", () => {
  test("are merged key by key [F569]", () => {
    const merged = Utils.deepMerge({ a: { x: 1, y: 1 }, b: 1 }, { a: { y: 2, z: 2 } });
    expect(merged).toEqual({ a: { x: 1, y: 2, z: 2 }, b: 1 });
  });

  test("are replaced where one of the two is no object [F570]", () => {
    expect(Utils.deepMerge({ a: { x: 1 }, b: [1, 2] }, { a: 5, b: [3] })).toEqual({ a: 5, b: [3] });
  });

  test("give what lies at a path, or the default [F571 F572 F573]", () => {
    const value = { a: { b: { c: 7 } }, none: null };
    expect(Utils.getNested(value, ["a", "b", "c"])).toBe(7);
    expect(Utils.getNested(value, ["a", "x", "c"], "default")).toBe("default");
    expect(Utils.getNested({}, ["a"], "default")).toBe("default");
    expect(Utils.getNested(value, ["none"], "default")).toBe("default");
    expect(Utils.getNested(value, ["toString"])).toBeUndefined();
  });

  test("get a value at a path, in a copy [F574 F575]", () => {
    expect(Utils.putNested({}, ["a", "b"], 1)).toEqual({ a: { b: 1 } });
    const base = { a: { b: 1, c: 2 } };
    expect(Utils.putNested(base, ["a", "b"], 3)).toEqual({ a: { b: 3, c: 2 } });
    expect(base).toEqual({ a: { b: 1, c: 2 } });
  });

  test("refuse keys that would reach a prototype", () => {
    const evil = JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>;
    for (const run of [
      () => Utils.deepMerge({}, evil),
      () => Utils.putNested({}, ["constructor", "x"], 1),
      () => Utils.stringifyKeys(evil),
    ]) {
      expect(run).toThrow(expect.objectContaining({ code: "security_violation" }));
    }
    expect(Utils.atomizeKeys(evil, new Set(["__proto__"]))).toEqual({});
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("get keys that are texts, or only known ones", () => {
    const value = new Map<unknown, unknown>([
      [1, new Map([["x", [new Map([[true, 2]])]]])],
      [Symbol("s"), 3],
    ]);
    expect(Utils.stringifyKeys(value)).toEqual({ "1": { x: [{ true: 2 }] }, s: 3 });
    expect(Utils.atomizeKeys({ a: { b: 1, evil: 2 }, c: 3 }, new Set(["a", "b"]))).toEqual({
      a: { b: 1 },
    });
  });
});

describe("blank", () => {
  test.each([undefined, null, "", "  \n", [], {}, new Map(), new Set(), new Uint8Array()])(
    "is %s [F576 F578]",
    (value) => {
      expect([Utils.isBlank(value), Utils.isPresent(value)]).toEqual([true, false]);
    },
  );

  test.each([0, false, "x", [0], { a: undefined }, new Map([[1, 1]]), new Date(0), () => {}])(
    "is not %s [F577 F578]",
    (value) => {
      expect([Utils.isBlank(value), Utils.isPresent(value)]).toEqual([false, true]);
    },
  );
});

describe("retry", () => {
  test("calls once what works at once [F579]", async () => {
    const attempts: number[] = [];
    const done = Utils.retry((attempt) => {
      attempts.push(attempt);
      return "done";
    });
    expect(await done).toBe("done");
    expect(attempts).toEqual([1]);
  });

  test("waits longer each time, until it works [F580]", async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const work = (): number => {
      times.push(clock.now());
      if (times.length < 5) throw new Error("not yet");
      return times.length;
    };
    const done = Utils.retry(work, { clock, maxAttempts: 9, baseDelayMs: 100, maxDelayMs: 300 });
    await clock.advanceAsync(2_000);
    expect(await done).toBe(5);
    expect(times).toEqual([0, 100, 300, 600, 900]);
  });

  test("gives up after the last attempt, with the last error [F581]", async () => {
    const clock = new ManualClock();
    let calls = 0;
    const done = Utils.retry(
      async () => {
        calls += 1;
        throw new Error(`failure ${calls}`);
      },
      { clock },
    );
    const failed = expect(done).rejects.toMatchObject({
      code: "max_attempts_exceeded",
      cause: { message: "failure 3" },
    });
    await clock.advanceAsync(1_000);
    await failed;
  });

  test("stops waiting when it is told to, and lets go of its timer", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const options = { clock, signal: controller.signal };
    const done = Utils.retry(() => Promise.reject(new Error("no")), options);
    const failed = expect(done).rejects.toMatchObject({ code: "aborted" });
    await clock.advanceAsync(50);
    expect(clock.pending).toBe(1);
    controller.abort();
    await failed;
    expect(clock.pending).toBe(0);
  });
});

describe("texts for people", () => {
  test.each([
    [12, "12ns"],
    [750_000, "750.0μs"],
    [2_500_000, "2.5ms"],
    [1_500_000_000, "1.5s"],
  ])("of %d ns", (ns, text) => {
    expect(Utils.formatDuration(ns)).toBe(text);
  });

  test.each([
    [512, "512 B"],
    [1_536, "1.5 KB"],
    [5 * 2 ** 20, "5.0 MB"],
    [3 * 2 ** 40, "3.0 TB"],
  ])("of %d bytes", (bytes, text) => {
    expect(Utils.formatBytes(bytes)).toBe(text);
  });

  test("have no control characters and an end", () => {
    expect(Utils.sanitizeString("  a\u0000b\u200bc\n ")).toBe("abc");
    expect(Utils.sanitizeString("x".repeat(2_000))).toHaveLength(1_000);
  });

  test("are made of anything", () => {
    const evil = {
      get bad(): never {
        throw new Error("x");
      },
      [Symbol.for("nodejs.util.inspect.custom")]: () => {
        throw new Error("x");
      },
    };
    expect(Utils.safeInspect(evil)).toBe("[object that cannot be shown]");
    expect(Utils.safeInspect([1, "a"])).toBe("[ 1, 'a' ]");
  });
});

describe("figures", () => {
  test("come with the result of a call, synchronous or not", async () => {
    expect(Utils.measure(() => 7)).toEqual({ result: 7, durationUs: expect.any(Number) });
    expect((await Utils.measure(async () => 8)).result).toBe(8);
    const { result, externalDeltaBytes } = Utils.measureMemory(() => new Uint8Array(1 << 20));
    expect(result.byteLength).toBe(1 << 20);
    expect(externalDeltaBytes).toBeGreaterThan(0);
  });

  test("of process and system are there", () => {
    expect(Utils.processStats()["pid"]).toBe(process.pid);
    expect(Utils.systemStats()["nodeVersion"]).toBe(process.versions.node);
  });
});
