import { afterEach, beforeEach, expect, test } from "vitest";
import { Foundation, type FoundationNode, type Pid } from "../../dist/ts/index.js";

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.start();
});
afterEach(async () => node.leave());

const RATE = ["ai", "planning", "samplingRate"] as const;

/** One question to each service, by name. */
const QUESTIONS: Readonly<Record<string, () => unknown>> = {
  config: () => node.config.status().status,
  events: () => node.events.status().status,
  telemetry: () => node.telemetry.status().status,
  processRegistry: () => node.processRegistry.listServices("production"),
  infrastructure: () => node.infrastructure.listProtectionKeys(),
  capture: () => node.capture.subscribe(() => {})(),
};

async function childrenOf(supervisor: Pid): Promise<{ id: string; pid: Pid }[]> {
  const children = await node.beam.supervisors.whichChildren(supervisor);
  return children.flatMap(({ id, pid }) => (pid === undefined ? [] : [{ id, pid }]));
}

test("each service is a process of its own, under one supervisor", async () => {
  const supervisor = node.services.supervisor as Pid;
  const ids = (await childrenOf(supervisor)).map(({ id }) => id);
  expect(ids.sort()).toEqual(
    [
      ...Object.keys(QUESTIONS),
      ...["configAuthority", "eventAuthority", "registryAuthority", "telemetryAuthority"],
    ].sort(),
  );
});

test.each(Object.keys(QUESTIONS))(
  "while %s is being restarted the others work, and then it does [F022 F023]",
  async (name) => {
    const { processes } = node.beam;
    const supervisor = node.services.supervisor as Pid;
    const own = processes.spawn(() => {});
    node.processRegistry.register("production", "api", own);
    node.config.update(RATE, 0.5);
    node.telemetry.emitCounter(["before"]);
    await node.infrastructure.executeProtected("k", { rateLimiter: ["r", "u"] }, () => 1);
    const victim = (await childrenOf(supervisor)).find(({ id }) => id === name);
    expect(victim).toBeDefined();
    if (victim !== undefined) processes.exit(victim.pid, "kill");
    for (const [other, ask] of Object.entries(QUESTIONS)) {
      if (other !== name) expect(ask).not.toThrow();
    }
    // The supervisor answers once it has restarted what was killed.
    await childrenOf(supervisor);
    for (const ask of Object.values(QUESTIONS)) expect(ask).not.toThrow();
    // Foundation 1.x lost all of this with the process that held it.
    expect(node.config.get(RATE)).toBe(0.5);
    expect(node.events.query().map(({ eventType }) => eventType)).toEqual(["config_updated"]);
    expect(node.processRegistry.lookup("production", "api")).toBe(own);
    expect(node.telemetry.getMetricsFlat().get("before")?.count).toBe(1);
  },
);

test("all services may be killed in turn, many times, and the node stays", async () => {
  const { processes } = node.beam;
  const supervisor = node.services.supervisor as Pid;
  for (let turn = 0; turn < 3; turn++) {
    for (const { pid } of await childrenOf(supervisor)) {
      processes.exit(pid, "kill");
      await childrenOf(supervisor);
      for (const ask of Object.values(QUESTIONS)) expect(ask).not.toThrow();
    }
  }
  expect(processes.isAlive(supervisor)).toBe(true);
});

test.each([
  { config: { file: "a.json" } },
  { telemetry: { metricMax: 1 } },
  { events: { byteMax: 1 } },
  { registries: { nameMax: 1 } },
  { telemetry: { metricsMax: 0 } },
  { telemetry: { sampleIntervalMs: 99 } },
  { telemetry: { enableVmMetrics: 1 } },
])("options that nobody knows, or that cannot be, are refused: %j", async (options) => {
  await expect(Foundation.start(options as never)).rejects.toMatchObject({
    code: "invalid_options",
  });
});

test("limits and the log of a node's options are those of its services", async () => {
  const lines: string[] = [];
  const log = { log: (_level: string, text: string): void => void lines.push(text) };
  const own = node.processRegistry.stats().totalServices;
  const limited = await Foundation.start({ registries: { namesMax: own + 1 }, log });
  try {
    const [a, b] = [limited.beam.processes.spawn(() => {}), limited.beam.processes.spawn(() => {})];
    limited.serviceRegistry.register("production", "a", a);
    expect(() => limited.serviceRegistry.register("production", "b", b)).toThrow(
      expect.objectContaining({ code: "registry_full" }),
    );
    limited.telemetry.attachHandlers([["requests"]]);
    limited.telemetry.emitCounter(["requests"]);
    expect(lines).toEqual(["service registered", "service was refused", "requests"]);
  } finally {
    await limited.leave();
  }
});

test("a node that leaves takes what its services hold open with it", async () => {
  const left = await Foundation.start();
  let [made, ended] = [0, 0];
  const workerModule = {
    create: () => {
      made += 1;
      return {};
    },
    destroy: () => {
      ended += 1;
    },
  };
  const { connectionManager } = left.infrastructure;
  await connectionManager.startPool("connections", { size: 2, workerModule });
  expect(made).toBe(2);
  await left.leave();
  await expect.poll(() => ended, { timeout: 15_000 }).toBe(2);
});

test("configuration, registry and telemetry are one chain: a change is counted [F032 F033]", () => {
  node.config.update(RATE, 0.25);
  node.config.reset();
  node.serviceRegistry.lookup("production", "nobody");
  const { foundation } = node.telemetry.getMetrics() as {
    foundation: { config_updates: number; config_resets: number };
  };
  expect(foundation).toMatchObject({ config_updates: 1, config_resets: 1 });
});
