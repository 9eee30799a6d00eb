import { once } from "node:events";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import {
  attempt,
  Config,
  ErrorContext,
  Events,
  Foundation,
  type FoundationNode,
  Infrastructure,
  ProcessRegistry,
  ServiceRegistry,
  Telemetry,
} from "../../dist/ts/index.js";

const RATE = ["ai", "planning", "sampling_rate"] as const;

let others: FoundationNode[] = [];
afterEach(async () => {
  await Foundation.shutdown();
  for (const other of others) await other.leave();
  others = [];
});

async function another(): Promise<FoundationNode> {
  const node = await Foundation.start();
  others.push(node);
  return node;
}

describe("without a node", () => {
  test.each<[string, number, () => unknown]>([
    ["config", 5000, () => Config.get(["ai", "provider"])],
    ["events", 3000, () => Events.store(Events.newEvent("test", 1))],
    ["telemetry", 28_200, () => Telemetry.getMetrics()],
    ["processRegistry", 28_300, () => ProcessRegistry.lookup("production", "api")],
    ["processRegistry", 28_300, () => ServiceRegistry.lookup("production", "api")],
    ["infrastructure", 28_400, () => Infrastructure.circuitBreaker],
    ["config", 5000, () => Foundation.status()],
  ])("asking %s throws %i and says what to do", (service, numericCode, ask) => {
    expect(ask).toThrow(
      expect.objectContaining({
        ...{ code: "service_unavailable", numericCode, context: { service, node: null } },
        message: expect.stringContaining("Foundation.initialize"),
      }),
    );
  });

  test("what never throws does not: emitting, asking for availability, defaults", () => {
    Telemetry.emitCounter(["lost"]);
    expect(Telemetry.measure(["work"], {}, () => 7)).toBe(7);
    expect(Config.getWithDefault(RATE, 0.5)).toBe(0.5);
    expect([Config.available(), Telemetry.available(), Foundation.available()]).toEqual([
      ...[false, false, false],
    ]);
    expect(Foundation.health()).toMatchObject({
      ...{ status: "degraded", services: {}, foundationAvailable: false },
    });
    expect(ErrorContext.withContext(ErrorContext.new("M", "f"), () => 1)).toBe(1);
    expect(inspect(Config)).toContain("unavailable");
  });

  test("shutdown has nothing to do", async () => {
    await expect(Foundation.shutdown()).resolves.toBeUndefined();
  });
});

describe("with a node", () => {
  test("the calls are those of the default node's services [F146 F148 F151]", async () => {
    const node = await Foundation.initialize();
    const rate: number = Config.get(RATE);
    expect(rate).toBe(1);
    Config.update(RATE, 0.25);
    expect(node.config.get(RATE)).toBe(0.25);
    Telemetry.emitCounter(["requests"], { route: "/" });
    Telemetry.emitGauge(["load"], 0.5);
    expect(Telemetry.measure(["work"], {}, () => 7)).toBe(7);
    expect(node.telemetry.getMetricsFlat().get("requests")?.count).toBe(1);
    const pid = node.beam.processes.spawn(() => {});
    ServiceRegistry.register("prod", "service", pid);
    expect(ProcessRegistry.lookup("prod", "service")).toBe(pid);
    expect(ServiceRegistry.listServices("prod")).toEqual(["service"]);
    ServiceRegistry.unregister("prod", "service");
    expect(attempt(() => ServiceRegistry.lookupOrThrow("prod", "service"))).toMatchObject({
      ...{ ok: false, error: { code: "service_not_found" } },
    });
    const answer = Infrastructure.executeProtected("k", { rateLimiter: ["r", "u"] }, () => 9);
    await expect(answer).resolves.toBe(9);
    expect(Infrastructure.circuitBreaker).toBe(node.infrastructure.circuitBreaker);
  });

  test("initializing is done once, also at a time, and any number of times [F145]", async () => {
    const [first, second] = await Promise.all([Foundation.initialize(), Foundation.initialize()]);
    expect(second).toBe(first);
    await expect(Foundation.initialize({ name: "other" })).resolves.toBe(first);
    expect(Foundation.node()).toBe(first);
    expect(Foundation.available()).toBe(true);
  });

  test("options of `initialize` are those of the node, and wrong ones leave none", async () => {
    const wrong = { config: { values: { ai: { planning: { samplingRate: 7 } } } } };
    await expect(Foundation.initialize(wrong)).rejects.toMatchObject({ code: "range_error" });
    expect(Foundation.node()).toBeUndefined();
    const values = { ai: { planning: { samplingRate: 0.5 } } };
    await Foundation.initialize({ config: { values } });
    expect(Config.get(RATE)).toBe(0.5);
  });

  test("the default is the first started; when it has left, the next that starts", async () => {
    const first = await another();
    const second = await another();
    expect(Foundation.node()).toBe(first);
    await first.leave();
    expect(Foundation.node()).toBeUndefined();
    expect(Config.available()).toBe(false);
    expect(second.config.available()).toBe(true);
    const third = await another();
    expect(Foundation.node()).toBe(third);
  });

  test("one that is leaving is the default no longer, and another can be started", async () => {
    const first = await another();
    const left = first.leave();
    expect(Foundation.node()).toBeUndefined();
    const second = await Foundation.initialize();
    expect(second).not.toBe(first);
    expect(Foundation.node()).toBe(second);
    await left;
    expect(Foundation.node()).toBe(second);
    expect(second.config.available()).toBe(true);
  });

  test("shutdown waits for a node that is leaving already", async () => {
    const node = await another();
    const left = node.leave();
    await Foundation.shutdown();
    expect(node.config.available()).toBe(false);
    await left;
  });

  test("a start and an initialization at a time agree on the default node", async () => {
    const [started, initialized] = await Promise.all([another(), Foundation.initialize()]);
    expect(Foundation.node()).toBe(initialized);
    expect(initialized.config.available()).toBe(true);
    await Foundation.shutdown();
    expect(Foundation.node()).toBeUndefined();
    // Only what somebody else has been told of may still run.
    expect(started.config.available()).toBe(started !== initialized);
  });

  test("an error context of the default node is counted there", async () => {
    const node = await Foundation.initialize();
    const context = ErrorContext.new("Shop", "pay");
    const failed = attempt(() =>
      ErrorContext.withContext(context, () => {
        throw new Error("no money");
      }),
    );
    expect(failed).toMatchObject({ ok: false, error: { code: "internal_error" } });
    expect(node.telemetry.getMetricsFor(["foundation", "errors"]).size).toBe(1);
  });
});

test("an isolate that attached has a default node too, and its services are well", async () => {
  const node = await Foundation.initialize();
  node.config.update(RATE, 0.25);
  const program = new URL("./fixtures/module-style-worker.mjs", import.meta.url);
  const worker = new Worker(program, { workerData: node.name });
  const [told] = (await once(worker, "message")) as [Record<string, unknown>];
  expect(told).toEqual({
    ...{ rate: 0.25, isDefault: true, status: "healthy", isAvailable: true },
    changed: "not_root_isolate",
  });
  await once(worker, "exit");
  expect(Foundation.node()).toBe(node);
  expect(Foundation.health().status).toBe("healthy");
});

describe("the node as a whole", () => {
  test("has figures, health and versions [F152 F153]", async () => {
    await Foundation.initialize();
    expect(Foundation.status()).toMatchObject({
      config: { status: "running", updatesCount: 0 },
      telemetry: { status: "running" },
    });
    const health = Foundation.health();
    expect(health).toMatchObject({ status: "healthy", foundationAvailable: true });
    expect(Object.values(health.services).every(({ status }) => status === "running")).toBe(true);
    expect(Foundation.version()).toMatch(/^2\.\d+\.\d+/);
    const { foundation, node, v8, uv } = health.versions;
    expect([foundation, node, v8, uv]).toEqual([
      ...[Foundation.version(), process.versions.node, process.versions.v8, process.versions.uv],
    ]);
  });

  test("health shows a service that is down, and that it is back [F068]", async () => {
    const { services, beam } = await Foundation.initialize();
    const [telemetry] = await beam.supervisors.whichChildren(services.supervisor as never);
    expect(telemetry?.id).toBe("telemetry");
    // The restart follows at once: what is between is seen by who is told of the end.
    const hit = new Promise((resolve) => {
      beam.processes.monitor(telemetry?.pid as never, () => resolve(Foundation.health()));
    });
    beam.processes.exit(telemetry?.pid as never, "kill");
    await expect(hit).resolves.toMatchObject({
      ...{ status: "degraded", foundationAvailable: false },
      services: { telemetry: { status: "unavailable", restarts: 0 }, config: { restarts: 0 } },
    });
    await beam.supervisors.whichChildren(services.supervisor as never);
    expect(Foundation.health()).toMatchObject({ status: "healthy" });
    expect(Foundation.health().services["telemetry"]).toEqual({ status: "running", restarts: 1 });
  });

  test("shutdown ends services in the reverse order of their start [F062 F064]", async () => {
    const { services, beam } = await Foundation.initialize();
    const children = await beam.supervisors.whichChildren(services.supervisor as never);
    const ended: string[] = [];
    for (const { id, pid } of children) {
      void beam.processes.exitOf(pid as never).then(() => ended.push(id));
    }
    await Foundation.shutdown();
    expect(ended).toEqual(children.map(({ id }) => id).reverse());
    expect(Foundation.available()).toBe(false);
    expect(() => Config.get(["ai"])).toThrow(expect.objectContaining({ numericCode: 5000 }));
  });
});
