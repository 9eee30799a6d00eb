import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ChildOptions,
  Config,
  Foundation,
  type FoundationNode,
  type NamespaceServices,
  type Pid,
  Services,
} from "../../dist/ts/index.js";

const RATE = ["ai", "planning", "samplingRate"] as const;

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.start();
  // Those that are refused crash, as they should: without a listener that is a warning each.
  node.beam.processes.on("crashed", () => {});
});
afterEach(async () => node.leave());

/** A supervisor of all services that can be children, in one namespace. */
async function supervised(namespace: string): Promise<[Pid, NamespaceServices]> {
  const args = [{ namespace }];
  const children: ChildOptions[] = [
    { id: "telemetry", start: Services.TelemetryService, args },
    { id: "config", start: Services.ConfigServer, args },
    { id: "events", start: Services.EventStore, args },
    { id: "infrastructure", start: Services.Infrastructure, args },
  ];
  const intensity = { restartsMax: 10, withinMs: 5_000 };
  const pid = await node.beam.supervisors.start({ children, intensity });
  return [pid, node.services.namespace(namespace)];
}

async function childOf(supervisor: Pid, id: string): Promise<Pid> {
  const children = await node.beam.supervisors.whichChildren(supervisor);
  return children.find((child) => child.id === id)?.pid as Pid;
}

describe("services of two namespaces", () => {
  test("are independent of each other and of the node's own [F017]", async () => {
    const [, a] = await supervised(node.processRegistry.testNamespace());
    const [, b] = await supervised(node.processRegistry.testNamespace());
    a.config.update(RATE, 0.25);
    b.config.update(RATE, 0.5);
    expect([a, b, node].map(({ config }) => config.get(RATE))).toEqual([0.25, 0.5, 1]);
    expect([a, b, node].map(({ config }) => config.status().updatesCount)).toEqual([1, 1, 0]);
    const updates = [a, b, node].map(({ telemetry }) => {
      return telemetry.getMetricsFlat().get("foundation.config_updates")?.count;
    });
    expect(updates).toEqual([1, 1, undefined]);
    a.infrastructure.initializeCircuitBreaker("mail");
    expect(a.infrastructure.getInfrastructureStatus().circuitBreaker.breakers).toBe(1);
    expect(b.infrastructure.getInfrastructureStatus().circuitBreaker.breakers).toBe(0);
  });

  test("have event stores of their own, which know of their own configuration [F018]", async () => {
    const [, a] = await supervised("a");
    const [, b] = await supervised("b");
    const id = a.events.store(a.events.newEvent("mine", { of: "a" }));
    b.config.update(RATE, 0.5);
    const types = [a, b, node].map(({ events }) =>
      events.query().map(({ eventType }) => eventType),
    );
    expect(types).toEqual([["mine"], ["config_updated"], []]);
    expect([a, b, node].map(({ events }) => events.lookup(id)?.eventType)).toEqual([
      ...["mine", undefined, undefined],
    ]);
    expect(a.events.pruneBefore(Number.MAX_SAFE_INTEGER)).toBe(1);
    expect([a, b, node].map(({ events }) => events.stats().currentEventCount)).toEqual([0, 1, 0]);
    const stored = [a, b, node].map(({ telemetry }) => {
      return telemetry.getMetricsFlat().get("foundation.event_store.events_stored")?.count;
    });
    expect(stored).toEqual([1, 1, undefined]);
  });

  test("are found by the names of Foundation 1.x in the registry [F014 F015 F016]", async () => {
    const { processRegistry, serviceRegistry } = node;
    const namespace = processRegistry.testNamespace();
    const before = processRegistry.stats();
    const [supervisor] = await supervised(namespace);
    expect(serviceRegistry.listServices(namespace).sort()).toEqual([
      ...["config_server", "event_store", "infrastructure", "telemetry_service"],
    ]);
    const pid = await childOf(supervisor, "config");
    expect(serviceRegistry.lookup(namespace, "config_server")).toBe(pid);
    const own = processRegistry.lookup("production", "config_server");
    expect(own).not.toBe(pid);
    expect(processRegistry.lookup("elsewhere", "config_server")).toBeUndefined();
    await expect(serviceRegistry.healthCheck(namespace, "config_server")).resolves.toBe(pid);
    const { totalServices, productionServices, testNamespaces } = processRegistry.stats();
    expect(totalServices - before.totalServices).toBe(4);
    expect(productionServices).toBe(before.productionServices);
    expect(testNamespaces - before.testNamespaces).toBe(1);
  });

  test("end with their supervisor, and those of others stay [F024]", async () => {
    const names = [node.processRegistry.testNamespace(), node.processRegistry.testNamespace()];
    const [first, a] = await supervised(names[0] as string);
    const [, b] = await supervised(names[1] as string);
    a.config.update(RATE, 0.25);
    await node.beam.supervisors.stop(first);
    expect(a.config.available()).toBe(false);
    expect(() => a.config.get(RATE)).toThrow(
      expect.objectContaining({ code: "service_unavailable", numericCode: 5000 }),
    );
    expect(node.processRegistry.listServices(names[0] as string)).toEqual([]);
    expect([b.config.get(RATE), node.config.get(RATE)]).toEqual([1, 1]);
    // Whoever starts them again begins anew.
    await supervised(names[0] as string);
    expect(a.config.get(RATE)).toBe(1);
  });
});

describe("a service that is a child", () => {
  test("is restarted by its supervisor and has its state again", async () => {
    const [supervisor, { config, events, telemetry }] = await supervised("shop");
    config.update(RATE, 0.25);
    telemetry.emitCounter(["orders"]);
    const order = events.store(events.newEvent("order", 7));
    for (const id of ["config", "events", "telemetry", "infrastructure"]) {
      const pid = await childOf(supervisor, id);
      node.beam.processes.exit(pid, "kill");
      const again = await childOf(supervisor, id);
      expect(again.equals(pid)).toBe(false);
    }
    expect(config.get(RATE)).toBe(0.25);
    expect(config.status().updatesCount).toBe(1);
    expect(telemetry.getMetricsFlat().get("orders")?.count).toBe(1);
    expect(node.processRegistry.lookup("shop", "config_server")).toBe(
      await childOf(supervisor, "config"),
    );
    expect(events.get(order)).toMatchObject({ eventType: "order", data: 7 });
    events.store(events.newEvent("order", 8));
    expect(events.query({ eventType: "order" })).toHaveLength(2);
  });

  test("needs no arguments, and takes those of its service", async () => {
    const { supervisors } = node.beam;
    await supervisors.start({
      children: [{ id: "config", start: Services.ConfigServer, args: [] }],
    });
    expect(node.services.namespace("default").config.get(["ai", "provider"])).toBe("mock");
    const values = { dev: { debugMode: true } };
    const args = [{ namespace: "debug", values, env: false, testMode: true }];
    await supervisors.start({ children: [{ id: "config", start: Services.ConfigServer, args }] });
    const { config } = node.services.namespace("debug");
    expect(config.get(["dev", "debugMode"])).toBe(true);
    config.update(RATE, 0.5);
    config.resetState();
    expect(config.get(RATE)).toBe(1);
  });

  test.each<[string, readonly unknown[], string]>([
    ["ConfigServer", [{ namespace: "shop", valeus: {} }], "invalid_options"],
    ["ConfigServer", [{ namespace: "" }], "invalid_argument"],
    ["ConfigServer", ["shop"], "invalid_options"],
    ["ConfigServer", [{ namespace: "production" }], "already_registered"],
    ["TelemetryService", [{ metricsMax: 0 }], "invalid_options"],
    ["Infrastructure", [{ size: 3 }], "invalid_options"],
  ])("%s with %j is refused", async (name, args, code) => {
    const start = Services[name as keyof typeof Services];
    const started = node.beam.supervisors.start({ children: [{ id: "a", start, args }] });
    const error: unknown = await started.catch((thrown: unknown) => thrown);
    expect(JSON.stringify(chain(error))).toContain(code);
    expect(node.services.namespace("shop").config.available()).toBe(false);
  });

  test("that is temporary is unavailable when it is killed, and holds nothing", async () => {
    const { processes, supervisors } = node.beam;
    const args = [{ namespace: "shop" }];
    const supervisor = await supervisors.start({
      children: [{ id: "events", start: Services.EventStore, args, restart: "temporary" }],
    });
    const { events } = node.services.namespace("shop");
    events.store(events.newEvent("order", 7));
    const pid = await childOf(supervisor, "events");
    const ended = processes.exitOf(pid);
    processes.exit(pid, "kill");
    await ended;
    await expect(supervisors.countChildren(supervisor)).resolves.toMatchObject({ specs: 0 });
    const refused = { code: "service_unavailable", numericCode: 3000 };
    const order = events.newEvent("order", 8);
    await expect(events.record(order)).rejects.toMatchObject(refused);
    expect(() => events.store(order)).toThrow(expect.objectContaining(refused));
    await supervisors.startChild(supervisor, { id: "events", start: Services.EventStore, args });
    expect(events.query()).toEqual([]);
  });

  test("counts changes of a configuration that starts after it, and begins anew", async () => {
    const { supervisors } = node.beam;
    const path = ["storage", "hot", "maxEvents"];
    const config: ChildOptions = {
      id: "config",
      start: Services.ConfigServer,
      args: [{ namespace: "shop", env: false, updatable: [path] }],
    };
    const store = { id: "events", start: Services.EventStore, args: [{ namespace: "shop" }] };
    const supervisor = await supervisors.start({ children: [store, config] });
    const shop = node.services.namespace("shop");
    const kept = (most: number): number => {
      shop.config.update(path, most);
      for (let index = 0; index < 20; index++) {
        shop.events.store(shop.events.newEvent("order", index));
      }
      return shop.events.stats().currentEventCount;
    };
    expect(kept(5)).toBe(5);
    await supervisors.terminateChild(supervisor, "config");
    await supervisors.restartChild(supervisor, "config");
    expect(kept(3)).toBe(3);
    for (const id of ["config", "events"]) {
      node.beam.processes.exit(await childOf(supervisor, id), "kill");
      await childOf(supervisor, id);
    }
    expect(kept(4)).toBe(4);
    await supervisors.terminateChild(supervisor, "events");
    expect(shop.config.status().subscribersCount).toBe(0);
  });

  test("is one of its kind in its namespace", async () => {
    await supervised("shop");
    await expect(supervised("shop")).rejects.toMatchObject({ code: "init_failed" });
    expect(node.services.namespace("shop").config.available()).toBe(true);
  });

  test("cannot be talked out of its work by messages", async () => {
    const [supervisor, { config }] = await supervised("shop");
    const pid = await childOf(supervisor, "config");
    const { processes } = node.beam;
    await expect(processes.call(pid, { op: "drop" })).rejects.toMatchObject({
      code: "operation_not_supported",
    });
    processes.cast(pid, "drop");
    processes.send(pid, "drop");
    await expect(processes.call(pid, "and now")).rejects.toMatchObject({ numericCode: 4001 });
    expect(await childOf(supervisor, "config")).toBe(pid);
    expect(config.available()).toBe(true);
  });
});

test("a namespace is the isolate's that runs it, and free when that has left", async () => {
  const worker = new Worker(new URL("./fixtures/namespace-worker.mjs", import.meta.url));
  const [told] = (await once(worker, "message")) as [unknown];
  expect(told).toEqual({ rates: [0.25, 1], updates: 1, stored: 1 });
  expect(node.processRegistry.listServices("shop").sort()).toEqual([
    ...["config_server", "event_store", "telemetry_service"],
  ]);
  // It is found from here, and is not run here.
  expect(node.services.namespace("shop").config.available()).toBe(false);
  const start = async (): Promise<unknown> => {
    const args = [{ namespace: "shop" }];
    return node.beam.supervisors.start({
      children: [{ id: "config", start: Services.ConfigServer, args }],
    });
  };
  const refused: unknown = await start().catch((thrown: unknown) => thrown);
  expect(chain(refused)).toContain("already_registered");
  worker.postMessage("end");
  await once(worker, "exit");
  await expect.poll(() => node.processRegistry.countServices("shop")).toBe(0);
  await start();
  expect(node.services.namespace("shop").config.get(RATE)).toBe(1);
});

describe("the services of a namespace", () => {
  test("are the same at each call, so that what exports its metrics does for all", async () => {
    await supervised("shop");
    const { telemetry } = node.services.namespace("shop");
    expect(node.services.namespace("shop").telemetry).toBe(telemetry);
    expect(node.services.namespace("other").telemetry).not.toBe(telemetry);
    const detach = await telemetry.attachOpenTelemetry();
    await expect(
      node.services.namespace("shop").telemetry.attachOpenTelemetry(),
    ).rejects.toMatchObject({ code: "invalid_argument" });
    detach();
  });

  test("serve their metrics until the node leaves", async () => {
    await supervised("shop");
    const { url } = await node.services.namespace("shop").telemetry.metricsServer({ port: 0 });
    const { status } = await fetch(url, { headers: { connection: "close" } });
    expect(status).toBe(200);
    await node.leave();
    await expect(fetch(url)).rejects.toThrow();
    const late = await node.services.namespace("late").telemetry.metricsServer({ port: 0 });
    await expect(fetch(late.url)).rejects.toThrow();
  });

  test("are kept for as many namespaces as may have some, and for those that have", async () => {
    await supervised("shop");
    const kept = node.services.namespace("shop");
    const idle = node.services.namespace("idle");
    for (let index = 0; index < 1_024; index++) node.services.namespace(`idle ${index}`);
    expect(node.services.namespace("shop")).toBe(kept);
    expect(node.services.namespace("idle")).not.toBe(idle);
  });
});

test("the namespace `production` is the node's own", () => {
  const { config, telemetry } = node.services.namespace("production");
  expect(config).toBe(node.config);
  expect(telemetry).toBe(node.telemetry);
  expect(Config.status()).toEqual(expect.objectContaining({ status: "running" }));
});

/** Codes of an error and of what led to it. */
function chain(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [String(Reflect.get(error, "code")), ...chain(error.cause)];
}
