import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { Breaker } from "../../ts/services/infrastructure/breaker/breaker.ts";
import { planBreaker } from "../../ts/services/infrastructure/breaker/breaker-options.ts";
import {
  CircuitBreakers,
  originalStatus,
} from "../../ts/services/infrastructure/breaker/circuit-breakers.ts";
import { type Metadata, NO_TELEMETRY } from "../../ts/services/sinks.ts";

interface Told {
  readonly event: string;
  readonly metadata: Metadata;
}

function scene() {
  const clock = new ManualClock();
  const told: Told[] = [];
  const breakers = new CircuitBreakers(clock, {
    execute: (name, measurements, metadata) => {
      expect(name.slice(0, -1)).toEqual(["foundation", "foundation", "infra", "circuit_breaker"]);
      expect(measurements).toEqual({ counter: 1 });
      told.push({ event: name.at(-1) as string, metadata });
    },
  });
  return { clock, told, breakers };
}

const boom = (): never => {
  throw new Error("boom");
};

function fail(breakers: CircuitBreakers, name: string, times: number): void {
  for (let i = 0; i < times; i++) {
    expect(() => breakers.execute(name, boom)).toThrow(
      expect.objectContaining({ code: "protected_operation_failed", numericCode: 5003 }),
    );
  }
}

const blown = expect.objectContaining({ code: "circuit_breaker_blown", numericCode: 5004 });
const coded = (code: string, numericCode: number) => expect.objectContaining({ code, numericCode });

describe("a breaker that is started", () => {
  test("is closed, with the defaults of Foundation 1.x [F254]", () => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("db");
    expect(breakers.getStatus("db")).toBe("closed");
    expect(told).toEqual([
      {
        event: "fuse_installed",
        metadata: { name: "db", tolerance: 5, windowMs: 60_000, refreshMs: 60_000 },
      },
    ]);
  });

  test("honours its options in any order and spelling [F255 F269]", () => {
    const { breakers, clock } = scene();
    breakers.startFuseInstance("a", { refresh: 5_000, tolerance: 2, strategy: "standard" });
    breakers.startFuseInstance("b", { tolerance: 10, refreshMs: 30_000 });
    breakers.startFuseInstance("c", { tolerance: 1, windowMs: 500, refreshMs: 1_000 });
    for (const name of ["a", "b", "c"]) fail(breakers, name, 2);
    const statuses = () => ["a", "b", "c"].map((name) => breakers.getStatus(name));
    expect(statuses()).toEqual(["closed", "closed", "open"]);
    fail(breakers, "a", 1);
    expect(statuses()).toEqual(["open", "closed", "open"]);
    clock.advance(1_000);
    expect(statuses()).toEqual(["open", "closed", "closed"]);
    clock.advance(4_000);
    expect(statuses()).toEqual(["closed", "closed", "closed"]);
  });

  test("twice stays what it was [F256]", () => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("db", { tolerance: 0 });
    fail(breakers, "db", 1);
    breakers.startFuseInstance("db", { tolerance: 9 });
    expect(breakers.getStatus("db")).toBe("open");
    expect(told.at(-1)).toEqual({ event: "fuse_already_installed", metadata: { name: "db" } });
  });

  test("comes and goes a thousand times without leaving anything [F270]", () => {
    const { breakers } = scene();
    for (let i = 0; i < 1_000; i++) {
      breakers.startFuseInstance(`fuse ${i}`);
      breakers.remove(`fuse ${i}`);
    }
    expect(breakers.list()).toEqual([]);
  });

  test.each([
    [{ tolerance: -1 }, "tolerance must be a whole number from 0 to 10000, not -1"],
    [{ tolerance: 1.5 }, "tolerance must be"],
    [{ refreshMs: 0 }, "refreshMs must be a whole number from 1"],
    [{ windowMs: Number.NaN }, "windowMs must be"],
    [{ halfOpen: { calls: 0 } }, "halfOpen.calls must be"],
    [{ halfOpen: 1 }, "halfOpen must be a boolean or an object"],
    [{ strategy: "fault_injection" }, "strategy must be 'standard'"],
    [{ classify: "all" }, "classify must be a function"],
    [{ tolerence: 5 }, "did you mean 'tolerance'?"],
    ["standard", "must be an object"],
  ])("refuses the options %j", (options, text) => {
    const { breakers, told } = scene();
    expect(() => breakers.startFuseInstance("db", options as never)).toThrow(
      expect.objectContaining({ numericCode: 5016, message: expect.stringContaining(text) }),
    );
    expect(told.map(({ event }) => event)).toEqual(["fuse_install_exception"]);
    expect(breakers.has("db")).toBe(false);
  });

  test("is one of at most ten thousand", () => {
    const { breakers, told } = scene();
    for (let i = 0; i < 10_000; i++) breakers.startFuseInstance(`fuse ${i}`);
    expect(() => breakers.startFuseInstance("one more")).toThrow(
      coded("circuit_breaker_install_failed", 5015),
    );
    expect(told.at(-1)?.event).toBe("fuse_install_failed");
  });
});

describe("a call under a breaker", () => {
  test("answers what the function answers [F257 F261]", async () => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("db");
    const result = { success: "result" };
    expect(breakers.execute("db", () => result, { request: 7 })).toBe(result);
    await expect(breakers.execute("db", async () => result)).resolves.toBe(result);
    expect(told.slice(1).map(({ event }) => event)).toEqual(["call_executed", "call_executed"]);
    expect(told[1]?.metadata).toEqual({ request: 7, name: "db", durationMs: 0, status: "success" });
  });

  test("is refused from the sixth failure on [F258 F263]", () => {
    const { breakers, told, clock } = scene();
    breakers.startFuseInstance("db");
    fail(breakers, "db", 5);
    expect(breakers.getStatus("db")).toBe("closed");
    fail(breakers, "db", 1);
    expect([breakers.getStatus("db"), originalStatus("open")]).toEqual(["open", "blown"]);
    clock.advance(20_000);
    let ran = 0;
    const refused = () => breakers.execute("db", () => (ran += 1));
    expect(refused).toThrow(blown);
    expect(refused).toThrow(
      expect.objectContaining({ context: { name: "db", retryAfterMs: 40_000 } }),
    );
    expect(ran).toBe(0);
    expect(told.at(-1)).toEqual({
      event: "call_rejected",
      metadata: { name: "db", reason: "circuit_blown" },
    });
  });

  test("that fails tells why, whether it throws, rejects or throws no error [F259]", async () => {
    const { breakers } = scene();
    breakers.startFuseInstance("db", { tolerance: 9 });
    const cause = new Error("boom");
    const rejected = breakers.execute("db", async () => Promise.reject(cause));
    await expect(rejected).rejects.toMatchObject({
      ...{ code: "protected_operation_failed", numericCode: 5003, cause },
      message: "under the circuit breaker 'db': boom",
    });
    const thrown = (): never => {
      // biome-ignore lint/style/useThrowOnlyError: what other people's code does
      throw "a word";
    };
    expect(() => breakers.execute("db", thrown)).toThrow(
      expect.objectContaining({ numericCode: 5012, cause: "a word" }),
    );
    expect(breakers.getStatistics("db")).toMatchObject({ failures: 2, failed: 2, admitted: 2 });
  });

  test("needs a breaker [F260 F264 F266]", () => {
    const { breakers, told } = scene();
    const code = "circuit_breaker_not_found";
    expect(() => breakers.execute("none", boom)).toThrow(coded(code, 5005));
    expect(told).toEqual([
      { event: "call_rejected", metadata: { name: "none", reason: "not_found" } },
    ]);
    expect(() => breakers.melt("none")).toThrow(coded(code, 5005));
    expect(() => breakers.getStatus("none")).toThrow(coded(code, 5007));
    expect(() => breakers.getStatistics("none")).toThrow(coded(code, 5007));
    expect(() => breakers.reset("none")).toThrow(coded(code, 5013));
    expect(() => breakers.remove("none")).toThrow(coded(code, 5013));
  });

  test.each([
    ["null", null],
    ["an empty text", ""],
    ["a number", 123],
    ["a list", []],
    ["a text without end", "x".repeat(256)],
  ])("refuses %s as the name [F277]", (_what, name) => {
    const { breakers } = scene();
    const refused = (call: () => unknown, numericCode: number): void =>
      expect(call).toThrow(coded("invalid_input", numericCode));
    refused(() => breakers.startFuseInstance(name as never), 5009);
    refused(() => breakers.execute(name as never, boom), 5009);
    refused(() => breakers.getStatus(name as never), 5011);
    refused(() => breakers.reset(name as never), 5011);
  });

  test.each([
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "'; DROP TABLE fuses; --",
    "\u0000\u202e",
  ])("takes %j for a name like any other [F133]", (name) => {
    const { breakers } = scene();
    breakers.startFuseInstance(name, { tolerance: 0 });
    fail(breakers, name, 1);
    expect([breakers.list(), breakers.getStatus(name)]).toEqual([[name], "open"]);
    expect(Reflect.has({}, "tolerance")).toBe(false);
  });

  test("refuses what is no function [F278]", () => {
    const { breakers } = scene();
    breakers.startFuseInstance("db");
    expect(() => breakers.execute("db", "no function" as never)).toThrow(
      coded("invalid_input", 5009),
    );
    expect(breakers.getStatistics("db").admitted).toBe(0);
  });

  test("takes as long as it takes [F279]", async () => {
    const { breakers, clock, told } = scene();
    breakers.startFuseInstance("db");
    let finish: (value: string) => void = () => {};
    const call = breakers.execute("db", async () => new Promise((resolve) => (finish = resolve)));
    clock.advance(100_000);
    finish("completed");
    await expect(call).resolves.toBe("completed");
    expect(told.at(-1)?.metadata).toMatchObject({ durationMs: 100_000, status: "success" });
  });

  test("counts for what its breaker says that it means", () => {
    const { breakers } = scene();
    breakers.startFuseInstance("api", {
      tolerance: 0,
      classify: (result) => {
        if (!result.ok) return "ignore";
        return (result.value as number) < 500 ? "success" : "failure";
      },
    });
    expect(breakers.execute("api", () => 200)).toBe(200);
    expect(() => breakers.execute("api", boom)).toThrow(
      expect.objectContaining({ code: "protected_operation_failed" }),
    );
    expect(breakers.getStatus("api")).toBe("closed");
    expect(breakers.execute("api", () => 503)).toBe(503);
    expect(breakers.getStatistics("api")).toMatchObject({
      ...{ status: "open", succeeded: 1, ignored: 1, failed: 1, opened: 1 },
    });
  });

  test.each([
    () => "perhaps",
    () => {
      throw new Error("no idea");
    },
  ])("does not count where nobody can say what it means", (classify) => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("api", { tolerance: 0, classify: classify as never });
    expect(() => breakers.execute("api", boom)).toThrow(coded("circuit_breaker_exception", 5006));
    expect(breakers.getStatistics("api")).toMatchObject({ status: "closed", ignored: 1 });
    expect(told.at(-1)?.metadata).toMatchObject({ status: "exception" });
  });
});

describe("a breaker that is open", () => {
  test("is closed by a reset, its failures forgotten [F265 F262]", () => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("db");
    fail(breakers, "db", 6);
    breakers.reset("db");
    expect(breakers.getStatus("db")).toBe("closed");
    expect(told.at(-1)).toEqual({
      event: "state_change",
      metadata: { name: "db", newState: "reset" },
    });
    fail(breakers, "db", 5);
    expect(breakers.getStatus("db")).toBe("closed");
  });

  test("closes by itself when its time is over, to the millisecond [F271 F272]", () => {
    const { breakers, clock, told } = scene();
    breakers.startFuseInstance("db", { tolerance: 2, refreshMs: 100 });
    fail(breakers, "db", 3);
    clock.advance(99);
    for (let i = 0; i < 10; i++) expect(() => breakers.execute("db", () => 1)).toThrow(blown);
    clock.advance(1);
    expect(breakers.execute("db", () => "recovered")).toBe("recovered");
    const changes = told.filter(({ event }) => event === "state_change");
    expect(changes.map(({ metadata }) => metadata["newState"])).toEqual(["open", "closed"]);
    fail(breakers, "db", 2);
    expect(breakers.getStatus("db")).toBe("closed");
  });

  test("leaves the others alone [F273 F274]", () => {
    const { breakers } = scene();
    for (const name of ["1", "2", "3"]) breakers.startFuseInstance(name, { tolerance: 2 });
    fail(breakers, "1", 3);
    expect(() => breakers.execute("1", () => 1)).toThrow(blown);
    expect(breakers.execute("2", () => "still working")).toBe("still working");
    expect(breakers.execute("3", () => "still working")).toBe("still working");
  });

  test("is opened by ten calls at a time that all fail [F267]", async () => {
    const { breakers } = scene();
    breakers.startFuseInstance("db", { tolerance: 3, refreshMs: 1_000 });
    const calls = Array.from({ length: 10 }, async () =>
      breakers.execute("db", async () => boom()),
    );
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(Array(10).fill("rejected"));
    expect(breakers.getStatistics("db")).toMatchObject({ status: "open", failed: 10, opened: 1 });
  });
});

describe("a breaker that is closed", () => {
  test("lets fifty calls at a time through [F268]", async () => {
    const { breakers } = scene();
    breakers.startFuseInstance("db", { tolerance: 3 });
    const calls = Array.from({ length: 50 }, async (_, i) => breakers.execute("db", async () => i));
    await expect(Promise.all(calls)).resolves.toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(breakers.getStatus("db")).toBe("closed");
  });

  test("counts what it sees [F275 F276]", () => {
    const { breakers, told } = scene();
    breakers.startFuseInstance("db", { tolerance: 3 });
    for (let i = 0; i < 10; i++) breakers.execute("db", () => "success");
    fail(breakers, "db", 2);
    expect(breakers.getStatistics("db")).toEqual({
      ...{ status: "closed", failures: 2, tolerance: 3, opensInMs: 0, opened: 0 },
      ...{ admitted: 12, succeeded: 10, failed: 2, ignored: 0, rejected: 0 },
    });
    const executed = told.filter(({ event }) => event === "call_executed");
    expect(executed.map(({ metadata }) => metadata["status"])).toEqual([
      ...Array(10).fill("success"),
      ...Array(2).fill("failed"),
    ]);
  });

  test("remembers nothing of a hundred thousand successes [F280]", () => {
    const clock = new ManualClock();
    const breakers = new CircuitBreakers(clock, NO_TELEMETRY);
    breakers.startFuseInstance("db");
    for (let i = 0; i < 100_000; i++) breakers.execute("db", () => i);
    expect(breakers.getStatistics("db")).toMatchObject({ failures: 0, succeeded: 100_000 });
    expect(clock.pending).toBe(0);
  });

  test("forgets failures that are older than its window", () => {
    const { breakers, clock } = scene();
    breakers.startFuseInstance("db", { tolerance: 2, windowMs: 1_000, refreshMs: 60_000 });
    for (let i = 0; i < 20; i++) {
      fail(breakers, "db", 1);
      clock.advance(500);
    }
    expect(breakers.getStatistics("db")).toMatchObject({ status: "closed", failures: 1 });
    breakers.melt("db");
    breakers.melt("db");
    expect(breakers.getStatus("db")).toBe("open");
  });
});

describe("a half-open breaker", () => {
  const open = (halfOpen: true | { calls?: number; successes?: number }) => {
    const changes: string[] = [];
    const plan = planBreaker({ tolerance: 0, refreshMs: 100, halfOpen });
    const breaker = new Breaker(plan, (status) => changes.push(status));
    breaker.melt(0);
    return { breaker, changes };
  };

  test("lets one call through and closes when that succeeds", () => {
    const { breaker, changes } = open(true);
    expect(breaker.admit(99)).toBeUndefined();
    const probe = breaker.admit(100) as number;
    expect([breaker.status(100), breaker.admit(100)]).toEqual(["half_open", undefined]);
    breaker.settle(probe, "success", 150);
    expect(breaker.status(150)).toBe("closed");
    expect(changes).toEqual(["open", "half_open", "closed"]);
  });

  test("opens anew when the call fails, for as long as before", () => {
    const { breaker, changes } = open(true);
    breaker.settle(breaker.admit(100) as number, "failure", 150);
    expect([breaker.status(249), breaker.opensInMs(200)]).toEqual(["open", 50]);
    expect(breaker.status(250)).toBe("half_open");
    expect(changes).toEqual(["open", "half_open", "open", "half_open"]);
  });

  test("learns nothing from a call that counts neither way", () => {
    const { breaker } = open(true);
    breaker.settle(breaker.admit(100) as number, "ignore", 120);
    expect(breaker.status(120)).toBe("half_open");
    expect(breaker.admit(120)).toBeTypeOf("number");
  });

  test("wants as many successes as it was told, of as many calls at a time", () => {
    const { breaker } = open({ calls: 2, successes: 3 });
    const probes = [breaker.admit(100), breaker.admit(100), breaker.admit(100)];
    expect(probes[2]).toBeUndefined();
    for (const probe of probes.slice(0, 2)) breaker.settle(probe as number, "success", 110);
    expect(breaker.status(110)).toBe("half_open");
    breaker.settle(breaker.admit(110) as number, "success", 120);
    expect(breaker.status(120)).toBe("closed");
  });

  test("does not listen to calls from before it opened", () => {
    const breaker = new Breaker(planBreaker({ tolerance: 0, refreshMs: 100, halfOpen: true }));
    const [early, slow] = [breaker.admit(0) as number, breaker.admit(0) as number];
    breaker.settle(early, "failure", 0);
    const probe = breaker.admit(100) as number;
    breaker.settle(slow, "failure", 110);
    expect(breaker.status(110)).toBe("half_open");
    breaker.settle(probe, "success", 120);
    breaker.settle(slow, "success", 130);
    expect(breaker.status(130)).toBe("closed");
  });

  test("lets another try when its probe never ends, and still listens to it", () => {
    const { breaker } = open(true);
    const lost = breaker.admit(100) as number;
    expect(breaker.admit(199)).toBeUndefined();
    expect(breaker.admit(200)).toBeTypeOf("number");
    expect(breaker.admit(200)).toBeUndefined();
    breaker.settle(lost, "success", 210);
    expect(breaker.status(210)).toBe("closed");
  });

  test("opens when a failure is reported by hand", () => {
    const { breaker } = open(true);
    expect(breaker.status(100)).toBe("half_open");
    breaker.melt(100);
    expect([breaker.status(100), breaker.counts.opened]).toEqual(["open", 2]);
    breaker.melt(100);
    expect(breaker.counts.opened).toBe(2);
  });
});
