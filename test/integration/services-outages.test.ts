import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  attempt,
  ConfigFallback,
  Foundation,
  type FoundationNode,
  type Pid,
} from "../../dist/ts/index.js";
import { counted, duringOutage, restarted, serviceProcesses } from "./service-outages.ts";

const RATE = ["ai", "planning", "samplingRate"] as const;
const STORED = "foundation.event_store.events_stored";
const SERVICES = ["telemetry", "config", "events", "processRegistry", "infrastructure", "capture"];

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.start();
});
afterEach(async () => node.leave());

function store(eventType: string, data: unknown = {}): number {
  return node.events.store(node.events.newEvent(eventType, data));
}

/** Which of the services answer a question each. */
function answering(): string[] {
  const questions: Readonly<Record<string, () => unknown>> = {
    telemetry: () => node.telemetry.status(),
    config: () => node.config.status(),
    events: () => node.events.status(),
    processRegistry: () => node.processRegistry.stats(),
    infrastructure: () => node.infrastructure.listProtectionKeys(),
    capture: () => node.capture.subscribe(() => {})(),
  };
  return SERVICES.filter((name) => attempt(() => questions[name]?.()).ok);
}

describe("while one service is down", () => {
  test.each(SERVICES)("%s is, the others answer [F063]", async (down) => {
    const others = SERVICES.filter((name) => name !== down);
    await expect(duringOutage(node, down, answering)).resolves.toEqual(others);
    expect(answering()).toEqual(SERVICES);
  });

  test("the telemetry is, work goes on and what is emitted is lost [F069]", async () => {
    node.telemetry.emitCounter(["before"]);
    await duringOutage(node, "telemetry", () => {
      node.config.update(RATE, 0.5);
      store("while_down");
      node.telemetry.emitCounter(["lost"]);
      expect(node.telemetry.measure(["work"], {}, () => 7)).toBe(7);
    });
    expect(node.config.get(RATE)).toBe(0.5);
    expect(node.events.query({ eventType: "while_down" })).toHaveLength(1);
    expect([counted(node, "before"), counted(node, "lost")]).toEqual([1, 0]);
    node.telemetry.emitCounter(["after"]);
    expect(counted(node, "after")).toBe(1);
  });

  test("the configuration is, it is read from what it held and changed later [F070]", async () => {
    node.config.update(RATE, 0.5);
    const told: unknown[] = [];
    node.config.subscribe((notification) => void told.push(notification));
    const { subscribersCount } = node.config.status();
    await duringOutage(node, "config", () => {
      expect(node.config.get(RATE)).toBe(0.5);
      expect(() => node.config.update(RATE, 0.6)).toThrow(
        expect.objectContaining({ code: "service_unavailable", numericCode: 5000 }),
      );
      expect(node.config.available()).toBe(false);
      store("while_down");
      node.telemetry.emitCounter(["while", "down"]);
    });
    expect(node.config.get(RATE)).toBe(0.5);
    node.config.update(RATE, 0.6);
    expect(told).toHaveLength(1);
    expect(node.config.status()).toMatchObject({ updatesCount: 2, subscribersCount });
    expect(node.events.query({ eventType: "while_down" })).toHaveLength(1);
    expect(counted(node, "while.down")).toBe(1);
  });

  test("the event store is, writes wait for it and are stored in order [F071]", async () => {
    const before = store("order", 0);
    const ids = await duringOutage(node, "events", () => {
      expect(node.events.available()).toBe(false);
      expect(node.events.query({ eventType: "order" })).toHaveLength(1);
      node.config.update(RATE, 0.5);
      return [store("order", 1), store("order", 2)];
    });
    const after = store("order", 3);
    const found = node.events.query({ eventType: "order", orderBy: "eventId" });
    expect(found.map(({ data }) => data)).toEqual([0, 1, 2, 3]);
    expect(found.map(({ eventId }) => eventId)).toEqual([before, ...ids, after]);
    expect(node.events.query({ eventType: "config_updated" })).toHaveLength(1);
  });
});

describe("a service that comes back", () => {
  test("still knows which breakers are open, and who has had his share", async () => {
    const { infrastructure } = node;
    infrastructure.circuitBreaker.startFuseInstance("mail", { tolerance: 1 });
    for (let failure = 0; failure < 2; failure++) infrastructure.circuitBreaker.melt("mail");
    const share = { entityId: "ann", operation: "mail" };
    infrastructure.rateLimiter.checkRate(share.entityId, share.operation, 1, 60_000);
    await restarted(node, "infrastructure");
    expect(infrastructure.circuitBreaker.getStatus("mail")).toBe("open");
    expect(() => {
      infrastructure.rateLimiter.checkRate(share.entityId, share.operation, 1, 60_000);
    }).toThrow(expect.objectContaining({ code: "rate_limit_exceeded" }));
  });

  test("has its place in the chain again, whichever it was [F046 F066]", async () => {
    let rate = 1;
    for (const [turn, service] of SERVICES.entries()) {
      await restarted(node, service);
      rate /= 2;
      node.config.update(RATE, rate);
      const [last] = node.events.getRecent(1);
      expect(last).toMatchObject({ eventType: "config_updated", data: { newValue: rate } });
      expect(counted(node, "foundation.config_updates")).toBe(turn + 1);
      expect(counted(node, STORED)).toBe(turn + 1);
    }
  });

  test("may be all of them at a time [F067]", async () => {
    node.config.update(RATE, 0.5);
    store("kept");
    const { processes } = node.beam;
    const before = await serviceProcesses(node);
    for (const pid of before.values()) processes.exit(pid, "kill");
    const after = await serviceProcesses(node);
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [id, pid] of after) expect(pid.equals(before.get(id) as Pid)).toBe(false);
    expect(answering()).toEqual(SERVICES);
    expect(node.config.get(RATE)).toBe(0.5);
    expect(node.events.query({ eventType: "kept" })).toHaveLength(1);
    expect(node.services.health().status).toBe("healthy");
  });

  test("has what it had, and what others have is untouched [F038 F042]", async () => {
    for (let turn = 1; turn <= 10; turn++) {
      node.telemetry.emitCounter(["turns"]);
      store("turn", turn);
      node.config.update(RATE, turn / 100);
      const service = SERVICES[turn % SERVICES.length] as string;
      await restarted(node, service);
      expect(counted(node, "turns")).toBe(turn);
      expect(node.events.query({ eventType: "turn" })).toHaveLength(turn);
      expect(node.config.get(RATE)).toBe(turn / 100);
      expect(node.config.status().updatesCount).toBe(turn);
    }
    const ids = node.events.query({ orderBy: "eventId" }).map(({ eventId }) => eventId);
    expect(new Set(ids).size).toBe(20);
    expect(counted(node, STORED)).toBe(20);
  });

  test("is the only one whose process changes [F075]", async () => {
    for (const service of SERVICES) {
      const before = await serviceProcesses(node);
      await restarted(node, service);
      const after = await serviceProcesses(node);
      const changed = [...after].filter(([id, pid]) => !pid.equals(before.get(id) as Pid));
      expect(changed.map(([id]) => id)).toEqual([service]);
    }
  });
});

describe("errors and limits", () => {
  test("hundreds of errors leave every service as it was [F072]", () => {
    for (let turn = 0; turn < 300; turn++) {
      expect(attempt(() => node.config.update(RATE, 7 + turn)).ok).toBe(false);
      expect(attempt(() => node.config.update(["ai", "provider"], "x")).ok).toBe(false);
      expect(attempt(() => store("", turn)).ok).toBe(false);
      expect(attempt(() => node.serviceRegistry.lookupOrThrow("production", "x")).ok).toBe(false);
      if (turn % 3 === 0) store("good", turn);
    }
    expect(answering()).toEqual(SERVICES);
    expect(node.config.status().updatesCount).toBe(0);
    expect(node.events.query()).toHaveLength(100);
    expect(counted(node, STORED)).toBe(100);
  });

  test("what is full says so, and works again when there is room [F074]", async () => {
    const { telemetry, processRegistry } = node;
    const small = await Foundation.start({
      registries: { namesMax: processRegistry.stats().totalServices + 1 },
      telemetry: { metricsMax: telemetry.status().metricsCount + 2 },
    });
    try {
      const [a, b] = [1, 2].map(() => small.beam.processes.spawn(() => {})) as [Pid, Pid];
      small.processRegistry.register("shop", "a", a);
      const refused = attempt(() => small.processRegistry.register("shop", "b", b));
      expect(refused).toMatchObject({ ok: false, error: { code: "registry_full" } });
      for (let metric = 0; metric < 50; metric++) small.telemetry.emitCounter([`m${metric}`]);
      expect(small.telemetry.status().droppedEvents).toBeGreaterThan(0);
      small.processRegistry.unregister("shop", "a");
      small.processRegistry.register("shop", "b", b);
      small.telemetry.resetMetrics();
      small.telemetry.emitCounter(["m49"]);
      expect(counted(small, "m49")).toBe(1);
      expect(small.services.health().status).toBe("healthy");
    } finally {
      await small.leave();
    }
  });
});

describe("the fallback of the configuration", () => {
  test("keeps a change that cannot be made, and makes it later [F245]", async () => {
    const fallback = new ConfigFallback(node.config);
    expect(fallback.getWithFallback(RATE)).toBe(1);
    await duringOutage(node, "config", () => {
      expect(() => fallback.updateWithFallback(RATE, 0.5)).toThrow(
        expect.objectContaining({ code: "service_unavailable" }),
      );
      expect(fallback.getWithFallback(RATE)).toBe(1);
    });
    expect(fallback.getCacheStats()).toMatchObject({ pendingUpdateEntries: 1 });
    expect(fallback.retryPendingUpdates()).toEqual({ applied: 1, left: 0 });
    expect(node.config.get(RATE)).toBe(0.5);
    expect(fallback.getWithFallback(RATE)).toBe(0.5);
    const [event] = node.events.query({ eventType: "config_updated" });
    expect(event?.data).toMatchObject({ newValue: 0.5, previousValue: 1 });
  });

  test("serves many at a time, through restarts and a lost cache [F240 F241]", async () => {
    const fallback = new ConfigFallback(node.config);
    let reads = 0;
    const reader = async (): Promise<void> => {
      for (let turn = 0; turn < 50; turn++) {
        expect(fallback.getWithFallback(RATE)).toBe(1);
        reads += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const trouble = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn++) {
        await restarted(node, "config");
        fallback.cleanup();
        expect(fallback.getCacheStats().totalEntries).toBe(0);
      }
    };
    await Promise.all([...Array.from({ length: 20 }, reader), trouble()]);
    expect(reads).toBe(1_000);
    expect(fallback.getWithFallback(RATE)).toBe(1);
    expect(fallback.getCacheStats()).toMatchObject({ configCacheEntries: 1 });
  });
});
