import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attempt, Foundation, type FoundationNode, type Pid } from "../../dist/ts/index.js";

const RATE = ["ai", "planning", "samplingRate"] as const;
const CONFIG = "$foundation.config";

let node: FoundationNode;
beforeEach(async () => {
  node = await Foundation.start();
});
afterEach(async () => node.leave());

function stranger(): Pid {
  return node.beam.processes.spawn(() => {});
}

async function children(): Promise<{ readonly id: string; readonly pid: Pid }[]> {
  const all = await node.beam.supervisors.whichChildren(node.services.supervisor as Pid);
  return all.map(({ id, pid }) => ({ id, pid: pid as Pid }));
}

/** Every service answers. */
function expectWorking(): void {
  expect(node.services.health()).toMatchObject({ status: "healthy" });
  expect(node.config.get(["ai", "provider"])).toBe("mock");
  expect(node.telemetry.status().status).toBe("running");
  expect(node.infrastructure.listProtectionKeys()).toEqual([]);
}

describe("the names of a node's services", () => {
  test("are nobody else's to take, in either registry [F135 F136]", () => {
    const { processRegistry, serviceRegistry } = node;
    const names = processRegistry.listServices("production");
    expect(names).toEqual(expect.arrayContaining(["config_server", "telemetry_service"]));
    for (const name of names) {
      const owner = processRegistry.lookup("production", name);
      const refused = expect.objectContaining({
        ...{ code: "already_registered", numericCode: 28_301 },
        context: expect.objectContaining({ existing: owner }),
      });
      expect(() => processRegistry.register("production", name, stranger())).toThrow(refused);
      expect(() => serviceRegistry.register("production", name, stranger())).toThrow(refused);
      const via = processRegistry.via("production", name);
      expect(() => node.beam.processes.spawn(() => {}, { via })).toThrow(refused);
      expect(processRegistry.lookup("production", name)).toBe(owner);
    }
    expect(processRegistry.stats().conflicts).toBe(3 * names.length);
  });

  test("are those of the processes that run them, after restarts as well", async () => {
    const { processRegistry } = node;
    for (const { id, pid } of await children()) {
      node.beam.processes.exit(pid, "kill");
      const now = (await children()).find((child) => child.id === id)?.pid;
      expect(now?.equals(pid)).toBe(false);
    }
    const pids = new Map((await children()).map(({ id, pid }) => [id, pid]));
    expect(processRegistry.lookup("production", "config_server")).toBe(pids.get("config"));
    expect(processRegistry.lookup("production", "telemetry_service")).toBe(pids.get("telemetry"));
    expect(processRegistry.lookup("production", "infrastructure")).toBe(pids.get("infrastructure"));
  });

  test("of what is internal are no services, and are taken [F137]", async () => {
    const { processes } = node.beam;
    for (const { id } of await children()) {
      if (!id.endsWith("Authority")) continue;
      expect(node.serviceRegistry.lookup("production", id)).toBeUndefined();
    }
    expect(() => processes.spawn(() => {}, { name: CONFIG })).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    const asked = processes.call(CONFIG, { op: "drop everything" });
    await expect(asked).resolves.toMatchObject({ error: { code: "operation_not_supported" } });
    expectWorking();
  });

  test("a name is its owner's while that is alive, and so is what is known of it [F138]", () => {
    const { processRegistry, serviceRegistry } = node;
    const [owner, other] = [stranger(), stranger()];
    serviceRegistry.register("shop", "api", owner, { metadata: { version: 1 } });
    const taken = attempt(() => {
      serviceRegistry.register("shop", "api", other, { metadata: { version: 2 } });
    });
    expect(taken).toMatchObject({ ok: false, error: { code: "already_registered" } });
    expect(processRegistry.entry("shop", "api")).toMatchObject({ metadata: { version: 1 } });
    serviceRegistry.register("shop", "api", owner, { metadata: { version: 3 } });
    expect(processRegistry.entry("shop", "api")).toMatchObject({
      ...{ pid: owner, metadata: { version: 3 } },
    });
    node.beam.processes.exit(owner, "kill");
  });
});

describe("the processes of services", () => {
  test("outlive what strangers send, link and signal [F139]", async () => {
    const { processes } = node.beam;
    const before = await children();
    for (const { pid } of before) {
      const other = stranger();
      processes.link(other, pid);
      processes.exit(other, "crashed");
      processes.exit(pid, "shutdown");
      processes.send(pid, { kind: "stop" });
      processes.cast(pid, "$gen_stop");
      await processes.call(pid, { system: "suspend" }).catch(() => {});
    }
    expect(await children()).toEqual(before);
    expectWorking();
  });

  test("are back after a kill, which nobody can refuse [F140]", async () => {
    const { processes } = node.beam;
    node.config.update(RATE, 0.5);
    for (const { id, pid } of await children()) {
      const ended = processes.exitOf(pid);
      processes.exit(pid, "kill");
      await expect(ended).resolves.toBe("killed");
      expect((await children()).map((child) => child.id)).toContain(id);
      expectWorking();
    }
    expect(node.config.get(RATE)).toBe(0.5);
  });
});

describe("the configuration", () => {
  test("is changed through its checks only [F141 F142]", async () => {
    const before = JSON.stringify(node.config.get());
    const forbidden = [
      ["ai", "apiKey"],
      ["ai", "provider"],
      ["storage", "warm", "path"],
      ["ai"],
      [],
    ];
    for (const path of forbidden) {
      expect(() => node.config.update(path, "mine")).toThrow(
        expect.objectContaining({
          ...{ code: "config_update_forbidden", numericCode: 1401 },
          context: expect.objectContaining({ allowedPaths: node.config.updatablePaths() }),
        }),
      );
      // The way of other isolates has the same checks.
      const asked = node.beam.processes.call(CONFIG, { op: "update", path, value: "mine" });
      await expect(asked).resolves.toMatchObject({ error: { code: "config_update_forbidden" } });
    }
    const read = node.config.get(["ai", "planning"]) as { samplingRate: number };
    expect(() => {
      read.samplingRate = 0;
    }).toThrow(TypeError);
    const paths = node.config.updatablePaths() as string[][];
    attempt(() => paths.push(["ai", "apiKey"]));
    expect(() => node.config.update(["ai", "apiKey"], "mine")).toThrow();
    expect(JSON.stringify(node.config.get())).toBe(before);
    expect(node.config.status().updatesCount).toBe(0);
  });
});

describe("the telemetry", () => {
  test("cannot be poisoned by names, values, metadata or handlers [F144]", () => {
    const { telemetry } = node;
    telemetry.emitCounter(["good"], 2);
    const names = [["__proto__", "polluted"], ["constructor"], [""], ["a".repeat(10_000)], []];
    for (const name of names) attempt(() => telemetry.emitCounter(name));
    for (const name of ["text", undefined, [1], {}]) {
      attempt(() => telemetry.execute(name as never, { counter: 1 }));
    }
    telemetry.execute(["odd"], { counter: Number.NaN, gauge: "7" } as never);
    telemetry.attach("rude", [["good"]], () => {
      throw new Error("mine");
    });
    telemetry.emitCounter(["good"], 3, JSON.parse('{"__proto__":{"polluted":1}}'));
    telemetry.emitCounter(["good"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(telemetry.getMetricsFlat().get("good")).toMatchObject({
      ...{ count: 3, measurements: { counter: 6 } },
    });
    expect(telemetry.status()).toMatchObject({ handlersCount: 0, handlerFailures: 1 });
    expect(() => telemetry.resetState()).toThrow(
      expect.objectContaining({ code: "operation_forbidden", numericCode: 7002 }),
    );
    expect(() => telemetry.getMetrics()).not.toThrow();
    expectWorking();
  });
});
