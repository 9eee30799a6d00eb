import { once } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import { ManualClock } from "../../dist/ts/base/manual-clock.js";
import type { CallContext } from "../../dist/ts/index.js";
import { Infrastructure } from "../../dist/ts/services/infrastructure/infrastructure.js";
import {
  InfrastructureCore,
  type InfrastructureOperation,
} from "../../dist/ts/services/infrastructure/infrastructure-core.js";
import { serviceChild } from "../../dist/ts/services/service-process.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { Scene, settled } from "./beam-scene.ts";

interface Told {
  readonly event: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

let clock: ManualClock;
let told: Told[];
let values: Record<string, unknown>;
let operations: InfrastructureOperation[];
let infra: Infrastructure;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  values = {};
  operations = [];
  infra = Infrastructure.standalone({
    clock,
    telemetry: {
      execute: (name, _measurements, metadata) =>
        void told.push({ event: name.slice(2).join("."), metadata }),
    },
    config: {
      getWithDefault: (path, fallback) => {
        const key = path.slice(1).join(".");
        return path[0] === "infrastructure" && key in values ? values[key] : fallback;
      },
    },
    onOperation: (operation) => void operations.push(operation),
  });
});

const CONFIG = {
  circuitBreaker: { failureThreshold: 2, recoveryTimeMs: 1_000 },
  rateLimiter: { scaleMs: 60_000, limit: 5 },
  connectionPool: { size: 2, maxOverflow: 1 },
};
const workerModule = { create: () => ({}) };
const boom = (): never => {
  throw new Error("boom");
};
const refusal = async (call: Promise<unknown>): Promise<FoundationError> =>
  call.then(
    () => expect.fail("it should have been refused"),
    (thrown: FoundationError) => thrown,
  );
const code = async (call: Promise<unknown>): Promise<string> => (await refusal(call)).code;
const events = (): string[] => told.map(({ event }) => event);

describe("the infrastructure", () => {
  test("is there as often as it is wanted [F314 F315]", () => {
    expect(infra.initializeAllInfraComponents()).toEqual([]);
    expect(infra.initializeAllInfraComponents()).toEqual([]);
    expect(events()).toEqual(Array(2).fill("infrastructure.infrastructure_initialized"));
  });

  test("tells what it is doing [F316]", async () => {
    infra.initializeCircuitBreaker("a");
    infra.circuitBreaker.startFuseInstance("b", { tolerance: 0 });
    infra.circuitBreaker.melt("b");
    infra.rateLimiter.checkRate("u", "op", 1, 1_000);
    await infra.connectionManager.startPool("p", { workerModule, size: 3 });
    expect(infra.getInfrastructureStatus()).toEqual({
      circuitBreaker: { breakers: 2, open: 1 },
      rateLimiter: { buckets: 1 },
      connectionPool: { pools: 1, workers: 3 },
      ...{ fuse: "running", hammer: "configured", timestamp: 1_700_000_000_000 },
    });
  });

  test("goes on with what it had when its process was killed, and says so meanwhile", async () => {
    const { processes, supervisors } = new Scene();
    const slot = new ServiceSlot<InfrastructureCore>("infrastructure", 28_400);
    const make = (last?: InfrastructureCore) => new InfrastructureCore({ clock }, last);
    const supervisor = await supervisors.start({
      children: [serviceChild({ slot, processes, make })],
    });
    const service = new Infrastructure(slot);
    service.configureProtection("api", CONFIG);
    service.circuitBreaker.startFuseInstance("b", { tolerance: 0 });
    service.circuitBreaker.melt("b");
    service.rateLimiter.checkRate("u", "op", 1, 60_000);
    await service.connectionManager.startPool("p", { workerModule, size: 1 });
    const [child] = await supervisors.whichChildren(supervisor);
    if (child?.pid !== undefined) processes.exit(child.pid, "kill");
    await settled();
    expect(slot.restarts).toBe(1);
    expect(service.listProtectionKeys()).toEqual(["api"]);
    expect(service.circuitBreaker.getStatus("b")).toBe("open");
    expect(service.rateLimiter.getStatus("u", "op").status).toBe("rate_limited");
    expect(service.connectionManager.listPools()).toEqual(["p"]);
    await processes.stop(supervisor, "shutdown");
    await settled();
    expect(service.getInfrastructureStatus()).toMatchObject({ fuse: "not_started" });
    const down = { code: "service_unavailable", numericCode: 28_400 };
    expect(() => service.circuitBreaker).toThrow(expect.objectContaining(down));
    await expect(service.executeProtected("api", () => 1)).rejects.toMatchObject(down);
  });
});

describe("a breaker that is initialized", () => {
  test("bears as many failures as it was told [F246 F248]", async () => {
    infra.initializeCircuitBreaker("api", { failureThreshold: 3, recoveryTimeMs: 1_000 });
    const options = { circuitBreaker: "api" };
    const call = async (run: () => unknown) => infra.executeProtected("test", options, run);
    await expect(call(() => "success")).resolves.toBe("success");
    for (let i = 0; i < 4; i++) await expect(code(call(boom))).resolves.toBe("execution_error");
    await expect(code(call(() => 1))).resolves.toBe("circuit_breaker_blown");
    clock.advance(1_000);
    await expect(call(() => "recovered")).resolves.toBe("recovered");
  });

  test("has the limits of the configuration where it was told none [F252 F253 F055]", async () => {
    infra.initializeCircuitBreaker("default");
    expect(infra.circuitBreaker.planOf("default")).toMatchObject({
      ...{ tolerance: 5, refreshMs: 30_000 },
    });
    await expect(
      infra.executeProtected("test", { circuitBreaker: "default" }, () => "default"),
    ).resolves.toBe("default");
    values["circuitBreaker.defaultConfig"] = { failureThreshold: 2, recoveryTime: 100 };
    infra.initializeCircuitBreaker("configured");
    for (let i = 0; i < 3; i++) infra.circuitBreaker.melt("configured");
    expect(infra.circuitBreaker.getStatus("configured")).toBe("open");
    clock.advance(100);
    expect(infra.circuitBreaker.getStatus("configured")).toBe("closed");
  });

  test.each([
    [undefined, undefined, "invalid_name"],
    [null, { failureThreshold: 5, recoveryTimeMs: 1 }, "invalid_name"],
    ["", { failureThreshold: 5, recoveryTimeMs: 1 }, "invalid_arguments"],
    [5, { failureThreshold: 5, recoveryTimeMs: 1 }, "invalid_arguments"],
    ["a", "a text", "invalid_arguments"],
    ["a", { failureThreshold: "invalid" }, "invalid_configuration"],
    ["a", { recoveryTimeMs: 30_000 }, "invalid_configuration"],
    ["a", { failureThreshold: 5 }, "invalid_configuration"],
    ["a", { failureThreshold: 0, recoveryTimeMs: 1 }, "invalid_configuration"],
    ["a", { failureThreshold: -5, recoveryTimeMs: 1 }, "invalid_configuration"],
    ["a", { failureThreshold: 5, recoveryTimeMs: 1.5 }, "invalid_configuration"],
  ])("is refused as %j with %j [F247 F249 F250]", (name, config, code) => {
    expect(() => infra.initializeCircuitBreaker(name as never, config as never)).toThrow(
      expect.objectContaining({ code }),
    );
    expect(infra.circuitBreaker.list()).toEqual([]);
  });

  test("is there once [F251]", () => {
    infra.initializeCircuitBreaker("a");
    expect(() => infra.initializeCircuitBreaker("a")).toThrow(
      expect.objectContaining({ code: "already_exists", numericCode: 28_403 }),
    );
  });

  test("tells why it could not be started", () => {
    for (let i = 0; i < 10_000; i++) infra.circuitBreaker.startFuseInstance(`b${i}`);
    expect(() => infra.initializeCircuitBreaker("one more")).toThrow(
      expect.objectContaining({
        code: "circuit_breaker_init_failed",
        cause: expect.objectContaining({ numericCode: 5015 }),
      }),
    );
  });
});

describe("a protected call", () => {
  test("runs, with a breaker and without, and tells [F317 F319]", async () => {
    infra.circuitBreaker.startFuseInstance("cb");
    told.length = 0;
    const result = { success: "result" };
    await expect(
      infra.executeProtected("key", { circuitBreaker: "cb" }, async () => result),
    ).resolves.toBe(result);
    expect(told).toEqual([
      { event: "infrastructure.execute_start", metadata: { protectionKey: "key" } },
      {
        event: "infra.circuit_breaker.call_executed",
        metadata: { name: "cb", durationMs: 0, status: "success" },
      },
      { event: "infrastructure.execute_stop", metadata: { protectionKey: "key", success: true } },
    ]);
    await expect(infra.executeProtected("key", {}, () => result)).resolves.toBe(result);
  });

  test("needs the breaker and the pool that it names [F318]", async () => {
    let ran = 0;
    const run = (): number => (ran += 1);
    await expect(
      code(infra.executeProtected("key", { circuitBreaker: "none" }, run)),
    ).resolves.toBe("circuit_breaker_not_found");
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    const options = { circuitBreaker: "cb", connectionPool: "none" };
    await expect(code(infra.executeProtected("key", options, run))).resolves.toBe("pool_not_found");
    expect([ran, infra.circuitBreaker.getStatus("cb")]).toEqual([0, "closed"]);
  });

  test("is limited to a hundred in a minute where nothing else is said [F320 F321]", async () => {
    const options = { rateLimiter: ["limited_op", "user"] as const };
    const call = async () => infra.executeProtected("key", options, () => "result");
    for (let i = 0; i < 100; i++) await expect(call()).resolves.toBe("result");
    const error = await refusal(call());
    expect(error).toMatchObject({ code: "rate_limit_exceeded", numericCode: 6001 });
    expect(told).toContainEqual({
      event: "infrastructure.protection_triggered",
      metadata: { protectionKey: "key", protectionType: "rate_limit", name: "limited_op" },
    });
    expect(told.at(-1)?.metadata).toEqual({
      ...{ protectionKey: "key", success: false, reason: "rate_limit_exceeded" },
    });
    clock.advance(60_000);
    await expect(call()).resolves.toBe("result");
  });

  test("ignores options that it does not know [F322]", async () => {
    const options = { invalid: "config" } as never;
    await expect(infra.executeProtected("key", options, () => "result")).resolves.toBe("result");
  });

  test.each<[unknown, unknown]>([
    ["config", () => 1],
    [null, () => 1],
    [[], () => 1],
    [{ circuitBreaker: 5 }, () => 1],
    [{ connectionPool: "" }, () => 1],
    [{ rateLimiter: "api_calls" }, () => 1],
    [{ rateLimiter: ["api_calls"] }, () => 1],
    [{ bulkhead: { concurrent: 0 } }, () => 1],
    [{ timeoutMs: -1 }, () => 1],
    [{ signal: "stop" }, () => 1],
    [{}, "no function"],
  ])("cannot be made with %j [F323]", async (options, run) => {
    const call = infra.executeProtected("key", options as never, run as never);
    await expect(code(call)).resolves.toBe("exception");
    expect(events().at(-1)).toBe("infrastructure.execute_exception");
  });

  test("that fails tells why [F324]", async () => {
    const cause = new Error("boom");
    const fail = async (): Promise<never> => Promise.reject(cause);
    await expect(infra.executeProtected("key", {}, fail)).rejects.toMatchObject({
      ...{ code: "execution_error", cause, context: { key: "key" }, message: "boom" },
    });
    const own = new FoundationError("not_found", "no such user");
    await expect(infra.executeProtected("key", {}, async () => Promise.reject(own))).rejects.toBe(
      own,
    );
  });

  test("that fails counts for its breaker, thrown or rejected", async () => {
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 1 });
    const options = { circuitBreaker: "cb" };
    await code(infra.executeProtected("key", options, boom));
    await code(infra.executeProtected("key", options, async () => boom()));
    expect(infra.circuitBreaker.getStatus("cb")).toBe("open");
    await expect(code(infra.executeProtected("key", options, () => 1))).resolves.toBe(
      "circuit_breaker_blown",
    );
    expect(told).toContainEqual({
      event: "infrastructure.protection_triggered",
      metadata: { protectionKey: "key", protectionType: "circuit_breaker", name: "cb" },
    });
  });

  test("is judged by what its function threw, not by how we wrap it", async () => {
    const seen: unknown[] = [];
    const classify = (result: { ok: boolean; error?: unknown }) => {
      seen.push(result.error);
      return "ignore" as const;
    };
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0, classify });
    const cause = new Error("boom");
    const fail = async (): Promise<never> => Promise.reject(cause);
    await code(infra.executeProtected("key", { circuitBreaker: "cb" }, fail));
    expect([seen, infra.circuitBreaker.getStatus("cb")]).toEqual([[cause], "closed"]);
  });

  test("is asked for in order: limit, breaker, bulkhead, pool", async () => {
    const options = {
      rateLimiter: { rule: "r", id: "u", limit: 2, windowMs: 1_000 },
      ...{ circuitBreaker: "cb", bulkhead: { concurrent: 1 }, connectionPool: "p" },
    };
    const call = async () => infra.executeProtected("key", options, () => "done");
    await expect(code(call())).resolves.toBe("circuit_breaker_not_found"); // one of two used up
    infra.circuitBreaker.startFuseInstance("cb");
    await expect(code(call())).resolves.toBe("pool_not_found");
    await expect(code(call())).resolves.toBe("rate_limit_exceeded");
    expect(infra.circuitBreaker.getStatistics("cb").admitted).toBe(1);
  });
});

describe("a call with a pool", () => {
  beforeEach(async () => {
    const module = { create: () => ({ name: "worker" }) };
    await infra.connectionManager.startPool("p", { workerModule: module, size: 1, maxOverflow: 0 });
  });
  const options = { connectionPool: "p", timeoutMs: 100 };
  const status = () => infra.connectionManager.getPoolStatus("p");

  test("gets a worker and gives it back [F056]", async () => {
    const run = async ({ worker }: CallContext<{ name: string }>) => {
      expect(status()).toMatchObject({ inUse: 1 });
      return worker.name;
    };
    await expect(infra.executeProtected("key", options, run)).resolves.toBe("worker");
    await expect(code(infra.executeProtected("key", options, boom))).resolves.toBe(
      "execution_error",
    );
    expect(status()).toMatchObject({ inUse: 0, available: 1, lost: 0 });
  });

  test("waits for a worker no longer than it may, which the breaker counts", async () => {
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    await infra.connectionManager.checkOut("p");
    const call = infra.executeProtected("key", { ...options, circuitBreaker: "cb" }, () => 1);
    const late = expect(code(call)).resolves.toBe("checkout_timeout");
    await clock.advanceAsync(100);
    await late;
    expect(infra.circuitBreaker.getStatus("cb")).toBe("open");
  });

  test("that takes too long is given up, and so is its worker", async () => {
    let context: CallContext | undefined;
    const call = infra.executeProtected("key", options, async (given) => {
      context = given;
      given.signal.throwIfAborted();
      return new Promise(() => {});
    });
    const late = expect(refusal(call)).resolves.toMatchObject({
      ...{ code: "timeout", numericCode: 4301 },
    });
    await clock.advanceAsync(99);
    expect(context?.signal.aborted).toBe(false);
    await clock.advanceAsync(1);
    await late;
    await settled();
    expect(context?.signal.reason).toMatchObject({ code: "timeout" });
    expect(status()).toMatchObject({ inUse: 0, available: 1, lost: 1 });
    expect(clock.pending).toBe(0);
  });

  test("hears that it was given up, even if it asks only then", async () => {
    let context: CallContext | undefined;
    const call = infra.executeProtected("key", options, async (given) => {
      context = given;
      return new Promise(() => {});
    });
    const late = expect(code(call)).resolves.toBe("timeout");
    await clock.advanceAsync(100);
    await late;
    expect(context?.signal.reason).toMatchObject({ code: "timeout" });
  });

  test("has five seconds where nothing else is said", async () => {
    const call = infra.executeProtected("key", { connectionPool: "p" }, async () => {
      return new Promise(() => {});
    });
    const late = expect(code(call)).resolves.toBe("timeout");
    await clock.advanceAsync(5_000);
    await late;
  });
});

describe("a call with a time limit", () => {
  test("under a breaker has that of the configuration, and counts", async () => {
    values["circuitBreaker.defaultConfig"] = { callTimeout: 700 };
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    const call = infra.executeProtected("key", { circuitBreaker: "cb" }, async () => {
      return new Promise(() => {});
    });
    const late = expect(code(call)).resolves.toBe("timeout");
    await clock.advanceAsync(699);
    expect(infra.circuitBreaker.getStatus("cb")).toBe("closed");
    await clock.advanceAsync(1);
    await late;
    expect(infra.circuitBreaker.getStatus("cb")).toBe("open");
  });

  test("that is called off ends, and does not count", async () => {
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    const control = new AbortController();
    const options = { circuitBreaker: "cb", signal: control.signal };
    const call = infra.executeProtected("key", options, async ({ signal }) => {
      return once(signal, "abort");
    });
    await settled();
    control.abort(new Error("enough"));
    await expect(refusal(call)).resolves.toMatchObject({
      ...{ code: "aborted", cause: expect.objectContaining({ message: "enough" }) },
    });
    expect(infra.circuitBreaker.getStatistics("cb")).toMatchObject({ ignored: 1, failed: 0 });
    await expect(code(infra.executeProtected("key", options, () => 1))).resolves.toBe("aborted");
    expect(clock.pending).toBe(0);
  });
});

describe("a call with a bulkhead", () => {
  test("is one of so many at a time, and of so many who wait", async () => {
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    const options = { circuitBreaker: "cb", bulkhead: { concurrent: 2, waiting: 1 } };
    const finish: (() => void)[] = [];
    const run = async () => new Promise<void>((resolve) => finish.push(resolve));
    const calls = [1, 2, 3].map(async () => infra.executeProtected("key", options, run));
    await settled();
    expect(finish.length).toBe(2);
    await expect(code(infra.executeProtected("key", options, run))).resolves.toBe(
      "too_many_waiting",
    );
    expect(infra.circuitBreaker.getStatus("cb")).toBe("closed");
    const other = infra.executeProtected("another key", options, run);
    await settled();
    expect(finish.length).toBe(3);
    while (finish.length > 0) {
      finish.shift()?.();
      await settled();
    }
    await Promise.all([...calls, other]);
  });
});

describe("a call with retry", () => {
  test("tries again, and each attempt counts", async () => {
    infra.circuitBreaker.startFuseInstance("cb");
    const options = {
      ...{ circuitBreaker: "cb", rateLimiter: ["r", "u"] as const },
      retry: { maxAttempts: 3, backoff: { baseMs: 100 } },
    };
    const attempts: number[] = [];
    const call = infra.executeProtected("key", options, ({ attempt }) => {
      attempts.push(attempt);
      return attempt < 3 ? boom() : "third";
    });
    await clock.advanceAsync(300);
    await expect(call).resolves.toBe("third");
    expect(attempts).toEqual([1, 2, 3]);
    expect(infra.circuitBreaker.getStatistics("cb")).toMatchObject({ admitted: 3, failed: 2 });
    expect(infra.rateLimiter.getStatus("u", "r").currentCount).toBe(3);
  });

  test("does not try again what was refused", async () => {
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    const options = { circuitBreaker: "cb", retry: { maxAttempts: 9 } };
    const call = infra.executeProtected("key", options, boom);
    const refused = expect(code(call)).resolves.toBe("circuit_breaker_blown");
    await clock.advanceAsync(1_000);
    await refused;
    expect(infra.circuitBreaker.getStatistics("cb")).toMatchObject({ admitted: 1, rejected: 1 });
  });
});

describe("a protection", () => {
  test("is kept as it was configured, in either spelling [F057 F060]", () => {
    infra.configureProtection("api", CONFIG);
    const original = {
      circuit_breaker: { failure_threshold: 2, recovery_time: 1_000 },
      rate_limiter: { scale: 60_000, limit: 5 },
      connection_pool: { size: 2, max_overflow: 1 },
    };
    infra.configureProtection("ported", original as never);
    expect(infra.getProtectionConfig("api")).toEqual(CONFIG);
    expect(infra.getProtectionConfig("ported")).toEqual(CONFIG);
    expect(infra.listProtectionKeys()).toEqual(["api", "ported"]);
    expect(operations).toEqual([
      { kind: "protection_configured", key: "api", protection: CONFIG },
      { kind: "protection_configured", key: "ported", protection: CONFIG },
    ]);
  });

  test.each([
    ["a text", "invalid_config_format"],
    [undefined, "invalid_config_format"],
    [{ ...CONFIG, cache: {} }, "invalid_config_format"],
    [{}, "missing_required_keys"],
    [{ circuitBreaker: CONFIG.circuitBreaker }, "missing_required_keys"],
    [{ ...CONFIG, circuitBreaker: "on" }, "invalid_circuit_breaker_config"],
    [{ ...CONFIG, circuitBreaker: { failureThreshold: 5 } }, "invalid_circuit_breaker_config"],
    [{ ...CONFIG, rateLimiter: { limit: 5 } }, "invalid_rate_limiter_config"],
    [{ ...CONFIG, rateLimiter: { limit: -5, scaleMs: 1 } }, "invalid_rate_limiter_config"],
    [{ ...CONFIG, connectionPool: { size: 5 } }, "invalid_connection_pool_config"],
    [{ ...CONFIG, connectionPool: { size: 0, maxOverflow: 0 } }, "invalid_connection_pool_config"],
  ])("is refused as %j [F058]", (config, code) => {
    expect(() => infra.configureProtection("api", config as never)).toThrow(
      expect.objectContaining({ code }),
    );
    expect(() => infra.getProtectionConfig("api")).toThrow(
      expect.objectContaining({ code: "not_found", numericCode: 28_417 }),
    );
  });

  test("limits calls of its key", async () => {
    const options = { rateLimiter: ["search", "user"] as const };
    const call = async (key: string) => infra.executeProtected(key, options, () => "ok");
    infra.configureProtection("api", CONFIG);
    for (let i = 0; i < 5; i++) await call("api");
    await expect(code(call("api"))).resolves.toBe("rate_limit_exceeded");
    infra.configureProtection("api", { ...CONFIG, rateLimiter: { scaleMs: 60_000, limit: 6 } });
    await call("api");
    await expect(code(call("api"))).resolves.toBe("rate_limit_exceeded");
  });

  test("behind a call without options is all of it [F061]", async () => {
    infra.configureProtection("api", CONFIG);
    await infra.connectionManager.startPool("api", {
      workerModule: { create: () => "worker" },
    });
    expect(infra.connectionManager.getPoolStatus("api")).toMatchObject({ size: 2, maxOverflow: 1 });
    const call = async (run: (context: CallContext<string>) => unknown) =>
      infra.executeProtected("api", run);
    await expect(call(({ worker }) => worker)).resolves.toBe("worker");
    for (let i = 0; i < 3; i++) await expect(code(call(boom))).resolves.toBe("execution_error");
    await expect(code(call(() => 1))).resolves.toBe("circuit_breaker_blown");
    await expect(code(call(() => 1))).resolves.toBe("rate_limit_exceeded");
    await expect(code(infra.executeProtected("none", () => 1))).resolves.toBe("not_found");
  });

  test("tells what its layers are doing [F059]", async () => {
    infra.configureProtection("api", CONFIG);
    expect(infra.getProtectionStatus("api")).toMatchObject({
      circuitBreaker: { status: "closed", failures: 0, tolerance: 2 },
      rateLimiter: { status: "available", currentCount: 0, limit: 5, remaining: 5 },
      connectionPool: undefined,
    });
    await infra.connectionManager.startPool("api", { workerModule });
    await code(infra.executeProtected("api", boom));
    expect(infra.getProtectionStatus("api")).toMatchObject({
      circuitBreaker: { status: "closed", failures: 1, failed: 1 },
      rateLimiter: { currentCount: 1, remaining: 4 },
      connectionPool: { size: 2, available: 2 },
    });
    expect(() => infra.getProtectionStatus("none")).toThrow(
      expect.objectContaining({ code: "not_found" }),
    );
  });

  test("that changes resizes its pool and renews its breaker", async () => {
    infra.configureProtection("api", CONFIG);
    await infra.connectionManager.startPool("api", { workerModule });
    for (let i = 0; i < 3; i++) infra.circuitBreaker.melt("api");
    infra.configureProtection("api", { ...CONFIG, connectionPool: { size: 4, maxOverflow: 0 } });
    await settled();
    expect(infra.connectionManager.getPoolStatus("api")).toMatchObject({ size: 4, workers: 4 });
    expect(infra.circuitBreaker.getStatus("api")).toBe("open"); // its own limits are as they were
    const circuitBreaker = { failureThreshold: 9, recoveryTimeMs: 1_000 };
    const connectionPool = { size: 1, maxOverflow: 0 };
    infra.configureProtection("api", { ...CONFIG, circuitBreaker, connectionPool });
    expect(infra.connectionManager.getPoolStatus("api")).toMatchObject({ size: 1, workers: 1 });
    expect(infra.circuitBreaker.getStatistics("api")).toMatchObject({
      ...{ status: "closed", tolerance: 9 },
    });
  });
});

describe("the configuration", () => {
  test("names limits of rules [F053]", async () => {
    values["rateLimiting.defaultRules"] = {
      file_operations: { scale: 1_000, limit: 2 },
      dbQueries: { windowMs: 1_000, limit: 3 },
      broken: { scale: 0, limit: "many" },
    };
    const allowed = async (rule: string): Promise<number> => {
      for (let count = 0; ; count++) {
        const call = infra.executeProtected("key", { rateLimiter: [rule, "u"] }, () => 1);
        if (
          await call.then(
            () => false,
            () => true,
          )
        )
          return count;
      }
    };
    await expect(allowed("file_operations")).resolves.toBe(2);
    await expect(allowed("dbQueries")).resolves.toBe(3);
    await expect(allowed("db_queries")).resolves.toBe(3);
    await expect(allowed("broken")).resolves.toBe(100);
    await expect(allowed("__proto__")).resolves.toBe(100);
  });

  test("names the sizes of pools", async () => {
    values["connectionPool.defaultConfig"] = { size: 3, maxOverflow: 0, strategy: "fifo" };
    await infra.connectionManager.startPool("p", { workerModule });
    expect(infra.connectionManager.getPoolStatus("p")).toMatchObject({ size: 3, maxOverflow: 0 });
  });

  test("switches limits, breakers and pools off and on, from the next call on", async () => {
    const ended: unknown[] = [];
    const module = { create: () => ({}), destroy: (worker: unknown) => void ended.push(worker) };
    await infra.connectionManager.startPool("p", { workerModule: module, size: 1 });
    infra.circuitBreaker.startFuseInstance("cb", { tolerance: 0 });
    infra.circuitBreaker.melt("cb");
    const rateLimiter = { rule: "r", id: "u", limit: 0, windowMs: 1_000 };
    const call = async () => {
      const options = { rateLimiter, circuitBreaker: "cb", connectionPool: "p" };
      return infra.executeProtected("key", options, ({ worker }) => typeof worker);
    };
    await expect(code(call())).resolves.toBe("rate_limit_exceeded");
    values["rateLimiting.enabled"] = false;
    await expect(code(call())).resolves.toBe("circuit_breaker_blown");
    values["circuitBreaker.enabled"] = false;
    values["connectionPool.enabled"] = false;
    await expect(call()).resolves.toBe("object");
    expect(ended.length).toBe(2); // the idle one, and the one that this call had for itself
    values["rateLimiting.enabled"] = true;
    await expect(code(call())).resolves.toBe("rate_limit_exceeded");
  });

  test("names when keys of limits are forgotten", () => {
    values["rateLimiting.cleanupInterval"] = 50;
    infra.rateLimiter.checkRate("u", "op", 1, 10);
    clock.advance(50);
    infra.rateLimiter.checkRate("another", "op", 1, 10);
    expect(infra.rateLimiter.bucketCount).toBe(1);
  });
});
