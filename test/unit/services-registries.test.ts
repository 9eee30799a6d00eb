import { describe, expect, test, vi } from "vitest";
import type { Pid } from "../../dist/ts/index.js";
import { ProcessRegistry } from "../../dist/ts/services/registries/process-registry.js";
import { RegistryCore } from "../../dist/ts/services/registries/registry-core.js";
import type { RegistryOptions } from "../../dist/ts/services/registries/registry-types.js";
import { ServiceRegistry } from "../../dist/ts/services/registries/service-registry.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { Scene, settled } from "./beam-scene.ts";

const idle = (): void => {};

function scene(options: RegistryOptions = {}) {
  const { processes, crashes } = new Scene();
  const slot = new ServiceSlot<RegistryCore>("processRegistry", 28_300);
  slot.install(new RegistryCore(processes, options));
  const registry = new ProcessRegistry({ slot, ender: processes });
  const reports: [string, object, Record<string, unknown>][] = [];
  const lines: string[] = [];
  const telemetry = {
    execute(name: readonly string[], measurements: object, facts: object): void {
      reports.push([name.join("."), measurements, facts as Record<string, unknown>]);
    },
  };
  const log = {
    log: (level: string, message: string): void => void lines.push(`${level} ${message}`),
  };
  const services = new ServiceRegistry(slot, registry, { telemetry, log });
  const spawn = (): Pid => processes.spawn(idle);
  return { processes, crashes, slot, registry, services, reports, lines, spawn };
}

describe("registering", () => {
  test("gives a process a name of a namespace [F418 F421 F422]", () => {
    const { registry, spawn } = scene();
    const pid = spawn();
    registry.register("production", "worker", pid);
    expect(registry.lookup("production", "worker")).toBe(pid);
    expect(registry.entry("production", "worker")).toMatchObject({ name: "worker", metadata: {} });
  });

  test("refuses a name that another live process has [F419]", () => {
    const { registry, spawn } = scene();
    const pid = spawn();
    registry.register("production", "worker", pid);
    expect(() => registry.register("production", "worker", spawn())).toThrow(
      expect.objectContaining({
        code: "already_registered",
        context: { namespace: "production", name: "worker", existing: pid },
      }),
    );
    expect(registry.lookup("production", "worker")).toBe(pid);
    expect(registry.stats().conflicts).toBe(1);
  });

  test("the same process again changes nothing but its metadata", () => {
    const { registry, spawn } = scene();
    const pid = spawn();
    registry.register("n", "a", pid, { metadata: { version: 1 } });
    registry.register("n", "a", pid);
    expect(registry.entry("n", "a")?.metadata).toEqual({ version: 1 });
    registry.register("n", "a", pid, { metadata: { version: 2 } });
    expect(registry.entry("n", "a")?.metadata).toEqual({ version: 2 });
  });

  test.each(["text", undefined, null, 7, {}])("refuses %s, which is no pid [F420]", (pid) => {
    const { registry } = scene();
    expect(() => registry.register("n", "a", pid as never)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  });

  test.each(["", "x".repeat(256), 7, undefined])("refuses the name %s", (name) => {
    const { registry, spawn } = scene();
    for (const run of [
      () => registry.register("n", name as never, spawn()),
      () => registry.register(name as never, "a", spawn()),
    ]) {
      expect(run).toThrow(expect.objectContaining({ code: "invalid_argument" }));
    }
  });

  test("refuses a process that has ended, metadata that are too large, and too many names", () => {
    const { processes, registry, spawn } = scene({ namesMax: 2 });
    const ended = spawn();
    processes.exit(ended, "kill");
    const code = (run: () => void) => {
      try {
        run();
      } catch (thrown) {
        return (thrown as { code: string }).code;
      }
      return undefined;
    };
    expect(code(() => registry.register("n", "a", ended))).toBe("noproc");
    const metadata = { text: "x".repeat(20_000) };
    expect(code(() => registry.register("n", "a", spawn(), { metadata }))).toBe("invalid_argument");
    registry.register("n", "a", spawn());
    registry.register("m", "a", spawn());
    expect(code(() => registry.register("m", "b", spawn()))).toBe("registry_full");
  });
});

describe("looking up", () => {
  test("gives nothing where nobody has the name [F423]", () => {
    const { registry } = scene();
    expect(registry.lookup("production", "nobody")).toBeUndefined();
  });

  test("gives nothing from the moment the process has ended [F424]", async () => {
    const { processes, registry, spawn } = scene();
    const pid = spawn();
    registry.register("n", "a", pid);
    registry.register("n", "b", pid);
    processes.exit(pid, "kill");
    expect(registry.lookup("n", "a")).toBeUndefined();
    await settled();
    expect(registry.stats()).toMatchObject({ totalServices: 0, cleanups: 2 });
  });

  test("tells namespaces apart [F425 F431]", () => {
    const { registry, spawn } = scene();
    const [one, two] = [spawn(), spawn()];
    registry.register("one", "same", one);
    registry.register("two", "same", two);
    expect([registry.lookup("one", "same"), registry.lookup("two", "same")]).toEqual([one, two]);
    expect(registry.listServices("one")).toEqual(["same"]);
  });

  test("finds by metadata", () => {
    const { registry, spawn } = scene();
    registry.register("n", "a", spawn(), { metadata: { capabilities: ["http", "ws"], zone: "x" } });
    registry.register("n", "b", spawn(), { metadata: { capabilities: ["http"], zone: "y" } });
    registry.register("n", "c", spawn());
    const names = (wanted: Parameters<typeof registry.find>[1]): string[] =>
      registry.find("n", wanted).map(({ name }) => name);
    expect(names({ capabilities: "http" })).toEqual(["a", "b"]);
    expect(names({ capabilities: ["ws", "http"] })).toEqual(["a"]);
    expect(names({ zone: "y" })).toEqual(["b"]);
    expect(names({ toString: undefined })).toEqual([]);
    expect(names({})).toEqual(["a", "b", "c"]);
    expect(names(({ metadata }) => metadata["zone"] === undefined)).toEqual(["c"]);
  });
});

describe("unregistering", () => {
  test("takes the name away, and says whether it was there [F426 F427 F428]", () => {
    const { registry, spawn } = scene();
    registry.register("n", "a", spawn());
    expect([registry.unregister("n", "a"), registry.unregister("n", "a")]).toEqual([true, false]);
    expect(registry.unregister("other", "a")).toBe(false);
    expect(registry.lookup("n", "a")).toBeUndefined();
  });

  test("lets the process go: its end is not watched any more", async () => {
    const { processes, registry, spawn } = scene();
    const pid = spawn();
    registry.register("n", "a", pid);
    registry.unregister("n", "a");
    const other = spawn();
    registry.register("n", "a", other);
    processes.exit(pid, "kill");
    await settled();
    expect(registry.lookup("n", "a")).toBe(other);
  });
});

describe("a namespace", () => {
  test("that nobody uses is empty [F429 F432 F437]", () => {
    const { registry } = scene();
    expect(registry.listServices("n")).toEqual([]);
    expect(registry.getAllServices("n")).toEqual(new Map());
    expect(registry.countServices("n")).toBe(0);
  });

  test("lists names and processes [F430 F433 F438]", () => {
    const { registry, spawn } = scene();
    const [a, b] = [spawn(), spawn()];
    registry.register("n", "a", a);
    registry.register("n", "b", b);
    expect(registry.listServices("n")).toEqual(["a", "b"]);
    expect(registry.getAllServices("n")).toEqual(
      new Map([
        ["a", a],
        ["b", b],
      ]),
    );
    expect(registry.countServices("n")).toBe(2);
  });

  test("knows who is registered, and counts down [F434 F435 F436]", () => {
    const { registry, spawn } = scene();
    expect(registry.isRegistered("n", "a")).toBe(false);
    registry.register("n", "a", spawn());
    expect(registry.isRegistered("n", "a")).toBe(true);
    registry.unregister("n", "a");
    expect(registry.isRegistered("n", "a")).toBe(false);
  });

  test("has fewer names when some are unregistered [F439]", () => {
    const { registry, spawn } = scene();
    for (const name of ["a", "b", "c"]) registry.register("n", name, spawn());
    registry.unregister("n", "b");
    expect(registry.countServices("n")).toBe(2);
  });
});

describe("via", () => {
  test("registers a process before its first message [F440 F441 F484]", async () => {
    const { processes, registry, services } = scene();
    const namespace = registry.testNamespace();
    const seen: unknown[] = [];
    const body = (): void => void seen.push(registry.lookup(namespace, "a"));
    const pid = processes.spawn(body, { via: registry.via(namespace, "a") });
    processes.send(pid, "first");
    await settled();
    expect(seen).toEqual([pid]);
    const second = processes.spawn(idle, { via: services.via(namespace, "b") });
    expect(services.lookup(namespace, "b")).toBe(second);
  });

  test("leaves no process where the name is taken, D15 [F485]", () => {
    const { processes, registry, services } = scene();
    const namespace = registry.testNamespace();
    const pid = processes.spawn(idle, { via: registry.via(namespace, "a") });
    const before = processes.list().length;
    for (const via of [registry.via(namespace, "a"), services.via(namespace, "a")]) {
      expect(() => processes.spawn(idle, { via })).toThrow(
        expect.objectContaining({ code: "already_registered" }),
      );
    }
    expect(() => registry.register(namespace, "a", processes.spawn(idle))).toThrow(
      expect.objectContaining({ code: "already_registered" }),
    );
    expect(processes.list()).toHaveLength(before + 1);
    expect(registry.lookup(namespace, "a")).toBe(pid);
  });
});

describe("cleaning up a namespace", () => {
  test("ends all its processes, those that trap exits by force [F442 F444 F481]", async () => {
    const { processes, registry, services, lines } = scene();
    const namespace = registry.testNamespace();
    const stubborn = processes.spawn(idle, { trapExit: true });
    const polite = processes.spawn(idle);
    registry.register(namespace, "stubborn", stubborn);
    registry.register(namespace, "polite", polite);
    registry.register("production", "other", processes.spawn(idle));
    const cleanup = await services.cleanupNamespace(namespace, { graceMs: 5 });
    expect(cleanup).toEqual({ stopped: 1, killed: 1 });
    expect([processes.isAlive(stubborn), processes.isAlive(polite)]).toEqual([false, false]);
    expect(registry.countServices(namespace)).toBe(0);
    expect(registry.countServices("production")).toBe(1);
    expect(lines).toContain("info namespace cleaned up");
  });

  test("does nothing to an empty one [F443 F482 F483]", async () => {
    const { registry, services, lines } = scene();
    const nothing = { stopped: 0, killed: 0 };
    expect(await registry.cleanupNamespace("n")).toEqual(nothing);
    expect(await services.cleanupNamespace("n")).toEqual(nothing);
    expect(lines).toEqual(["info namespace cleaned up"]);
  });
});

test("statistics count names, namespaces and what happened [F445 F446]", () => {
  const { processes, registry, spawn } = scene();
  registry.register("production", "a", spawn());
  registry.register("production", "b", spawn());
  registry.register(registry.testNamespace(), "a", spawn());
  const pid = spawn();
  registry.register("any other", "a", pid);
  processes.exit(pid, "kill");
  registry.lookup("any other", "a");
  expect(registry.stats()).toMatchObject({
    totalServices: 3,
    productionServices: 2,
    testNamespaces: 1,
    namespaces: 2,
    registrations: 4,
    conflicts: 0,
    cleanups: 1,
    replicas: 1,
  });
});

test("a restarted core takes over names, watches and listeners", async () => {
  const { processes, slot, registry, spawn } = scene();
  const [pid, gone] = [spawn(), spawn()];
  registry.register("n", "a", pid);
  registry.register("n", "gone", gone);
  const seen: string[] = [];
  registry.onChange((op) => seen.push(op.kind));
  const { core: last } = slot;
  slot.remove(last);
  processes.exit(gone, "kill");
  expect(() => registry.lookup("n", "a")).toThrow(
    expect.objectContaining({ code: "service_unavailable", numericCode: 28_300 }),
  );
  const next = new RegistryCore(processes);
  next.adopt(last);
  slot.install(next);
  expect(registry.getAllServices("n")).toEqual(new Map([["a", pid]]));
  processes.exit(pid, "kill");
  await settled();
  expect(registry.countServices("n")).toBe(0);
  expect(seen).toEqual(["drop", "drop"]);
});

describe("the service registry", () => {
  const REGISTER = "foundation.foundation.registry.register";
  const LOOKUP = "foundation.foundation.registry.lookup";

  test("registers, reports and writes it down [F448 F450 F453]", () => {
    const { services, reports, lines, spawn } = scene();
    const pid = spawn();
    services.register("production", "api", pid);
    expect(services.lookup("production", "api")).toBe(pid);
    expect(reports[0]).toEqual([
      REGISTER,
      { count: 1 },
      { namespace: "production", service: "api", result: "ok" },
    ]);
    expect(lines).toEqual(["info service registered"]);
  });

  test("refuses a second one, and reports that [F449 F451]", () => {
    const { services, reports, spawn } = scene();
    services.register("n", "api", spawn());
    expect(() => services.register("n", "api", spawn())).toThrow(
      expect.objectContaining({ code: "already_registered" }),
    );
    expect(reports.at(-1)).toMatchObject([REGISTER, { count: 1 }, { result: "error" }]);
  });

  test("refuses what is no process without harm [F452]", () => {
    const { services, spawn } = scene();
    expect(() => services.register("n", "api", "no pid" as never)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
    services.register("n", "api", spawn());
    expect(services.listServices("n")).toEqual(["api"]);
  });

  test("says what is missing [F454 F486]", () => {
    const { services } = scene();
    expect(services.lookup("n", "api")).toBeUndefined();
    expect(() => services.lookupOrThrow("n", "api")).toThrow(
      expect.objectContaining({
        code: "service_not_found",
        numericCode: 5001,
        severity: "medium",
        context: { namespace: "n", service: "api" },
      }),
    );
  });

  test("reports lookups with their duration [F455 F456]", () => {
    const { services, reports, spawn } = scene();
    services.lookup("n", "api");
    services.register("n", "api", spawn());
    services.lookup("n", "api");
    const lookups = reports.filter(([name]) => name === LOOKUP);
    expect(lookups.map(([, , facts]) => facts["result"])).toEqual(["error", "ok"]);
    for (const [, measurements] of lookups) {
      expect(measurements).toEqual({ duration: expect.any(Number) });
    }
  });

  test("works on where telemetry and log fail [F457 F487 F488]", () => {
    const { slot, registry, spawn } = scene();
    const failing = (): never => {
      throw new Error("sink is broken");
    };
    const services = new ServiceRegistry(slot, registry, {
      telemetry: { execute: failing },
      log: { log: failing },
    });
    const pid = spawn();
    services.register("n", "api", pid);
    expect(services.lookup("n", "api")).toBe(pid);
    expect(services.unregister("n", "api")).toBe(true);
  });

  test("unregisters and lists, and writes it down [F458 F459 F461]", () => {
    const { services, lines, spawn } = scene();
    services.register("n", "a", spawn());
    services.register("n", "b", spawn());
    expect(services.listServices("n")).toEqual(["a", "b"]);
    expect(services.unregister("n", "a")).toBe(true);
    expect(services.unregister("n", "a")).toBe(false);
    expect(services.listServices("n")).toEqual(["b"]);
    expect(lines.filter((line) => line === "info service unregistered")).toHaveLength(2);
    expect(lines).toContain("debug services listed");
  });

  test("and the process registry show the same [F489 F490 F460]", () => {
    const { services, registry, spawn } = scene();
    const [a, b] = [spawn(), spawn()];
    services.register("n", "a", a);
    registry.register("n", "b", b);
    expect([registry.lookup("n", "a"), services.lookup("n", "b")]).toEqual([a, b]);
    expect(services.listServices("n")).toEqual(registry.listServices("n"));
  });
});

describe("a health check", () => {
  async function codeOf(run: Promise<unknown>): Promise<string | undefined> {
    return run.then(
      () => undefined,
      (thrown: unknown) => (thrown as { code: string }).code,
    );
  }

  test("of a live service gives its process [F462 F465]", async () => {
    const { services, spawn } = scene();
    const pid = spawn();
    services.register("n", "api", pid);
    expect(await services.healthCheck("n", "api")).toBe(pid);
    const asked: unknown[] = [];
    const check = (one: unknown): boolean => asked.push(one) > 0;
    expect(await services.healthCheck("n", "api", { check })).toBe(pid);
    expect(asked).toEqual([pid]);
  });

  test.each([
    ["ok", (): unknown => "ok"],
    ["nothing", (): unknown => undefined],
    ["a promise of true", async (): Promise<unknown> => true],
    ["a result", (): unknown => ({ ok: true, value: 7 })],
  ])("takes %s for a yes [F466 F467]", async (_name, check) => {
    const { services, spawn } = scene();
    services.register("n", "api", spawn());
    expect(await codeOf(services.healthCheck("n", "api", { check }))).toBeUndefined();
  });

  test.each([
    ["false", (): unknown => false, "health_check_failed"],
    ["a bad result", (): unknown => ({ ok: false }), "health_check_failed"],
    ["an odd word", (): unknown => "maybe", "health_check_failed"],
    [
      "an error",
      async (): Promise<unknown> => Promise.reject(new Error("down")),
      "health_check_error",
    ],
    [
      "something thrown",
      (): never => {
        throw "crash" as unknown;
      },
      "health_check_crashed",
    ],
    ["silence", async (): Promise<void> => new Promise(() => {}), "health_check_timeout"],
  ] as const)("takes %s for a no [F468 F469 F470]", async (_name, check, code) => {
    const { services, spawn } = scene();
    services.register("n", "api", spawn());
    expect(await codeOf(services.healthCheck("n", "api", { check, timeoutMs: 5 }))).toBe(code);
  });

  test("ends where the service is missing, dead, or ends meanwhile [F463 F464 F471]", async () => {
    const { processes, services, spawn } = scene();
    expect(await codeOf(services.healthCheck("n", "api"))).toBe("service_not_found");
    const pid = spawn();
    services.register("n", "api", pid);
    const check = (): void => processes.exit(pid, "kill");
    expect(await codeOf(services.healthCheck("n", "api", { check }))).toBe("process_dead");
    expect(await codeOf(services.healthCheck("n", "api"))).toBe("service_not_found");
  });

  test("ends when it is told to", async () => {
    const { services, spawn } = scene();
    services.register("n", "api", spawn());
    const controller = new AbortController();
    const check = async (): Promise<void> => new Promise(() => {});
    const checking = services.healthCheck("n", "api", { check, signal: controller.signal });
    controller.abort();
    expect(await codeOf(checking)).toBe("aborted");
  });

  test("writes its steps only where that is asked for [F472 F473]", async () => {
    const { services, lines, spawn } = scene();
    services.register("n", "api", spawn());
    lines.length = 0;
    await services.healthCheck("n", "api");
    expect(lines).toEqual([]);
    await services.healthCheck("n", "api", { debugHealthCheck: true });
    expect(lines).toEqual(["debug health check begins", "debug health check passed"]);
  });
});

describe("waiting for a service", () => {
  test("is over at once where it is there [F474]", async () => {
    const { services, spawn } = scene();
    const pid = spawn();
    services.register("n", "api", pid);
    expect(await services.waitForService("n", "api")).toBe(pid);
  });

  test("is over in the turn in which it comes [F475]", async () => {
    const { services, registry, spawn } = scene();
    const waiting = services.waitForService("n", "api");
    services.register("n", "other", spawn());
    services.register("m", "api", spawn());
    const pid = spawn();
    registry.register("n", "api", pid);
    expect(await waiting).toBe(pid);
  });

  test("ends in time where it never comes [F476]", async () => {
    const { services } = scene();
    const waiting = services.waitForService("n", "api", { timeoutMs: 1 });
    await expect(waiting).rejects.toMatchObject({ code: "timeout" });
  });

  test("has a default of five seconds [F477]", async () => {
    vi.useFakeTimers();
    try {
      const { services } = scene();
      let code: string | undefined;
      void services.waitForService("n", "api").catch((thrown: { code: string }) => {
        code = thrown.code;
      });
      await vi.advanceTimersByTimeAsync(4_999);
      expect(code).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(code).toBe("timeout");
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("information on a namespace", () => {
  test("is empty where it is [F478]", () => {
    const { services } = scene();
    expect(services.getServiceInfo("n")).toEqual({
      namespace: "n",
      services: {},
      totalServices: 0,
      healthyServices: 0,
    });
  });

  test("has process, age and metadata of each [F479]", () => {
    const { services, spawn } = scene();
    const pid = spawn();
    services.register("n", "api", pid, { metadata: { zone: "x" } });
    const info = services.getServiceInfo("n");
    expect(info).toMatchObject({ totalServices: 1, healthyServices: 1 });
    expect(info.services["api"]).toMatchObject({ pid, alive: true, metadata: { zone: "x" } });
    expect(info.services["api"]?.uptimeMs).toBeGreaterThanOrEqual(0);
    expect(info.services["api"]?.uptimeMs).toBeLessThan(60_000);
  });

  test("forgets a process that has ended [F480]", async () => {
    const { processes, services, spawn } = scene();
    const pid = spawn();
    services.register("n", "api", pid);
    services.register("n", "other", spawn());
    processes.exit(pid, "kill");
    await settled();
    expect(services.getServiceInfo("n")).toMatchObject({ totalServices: 1, healthyServices: 1 });
  });
});
