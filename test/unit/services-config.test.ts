import { inspect } from "node:util";

import { describe, expect, test } from "vitest";
import { attempt } from "../../dist/ts/base/errors.js";
import { ManualClock } from "../../dist/ts/base/manual-clock.js";
import type { Pid } from "../../dist/ts/index.js";
import { section, v } from "../../dist/ts/schema/index.js";
import { Config } from "../../dist/ts/services/config/config.js";
import { ConfigCore, type ConfigParts } from "../../dist/ts/services/config/config-core.js";
import { DEFAULT_CONFIG } from "../../dist/ts/services/config/config-defaults.js";
import { ConfigFallback } from "../../dist/ts/services/config/config-fallback.js";
import { readEnvironment } from "../../dist/ts/services/config/config-sources.js";
import type { ConfigNotification } from "../../dist/ts/services/config/config-types.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { Scene, settled } from "./beam-scene.ts";
import { codeOf } from "./thrown-code.ts";

const RATE = ["ai", "planning", "samplingRate"] as const;

function scene(parts: ConfigParts = {}) {
  const clock = new ManualClock();
  const { processes } = new Scene();
  const happened: unknown[] = [];
  const slot = new ServiceSlot<ConfigCore>("config", 5000);
  const core = new ConfigCore({
    clock,
    host: processes,
    events: { record: (type, data) => void happened.push(["event", type, data]) },
    telemetry: {
      execute: (name, measurements, metadata) =>
        void happened.push(["telemetry", name.join("."), measurements, metadata]),
    },
    ...parts,
  });
  slot.install(core);
  return { clock, processes, happened, slot, core, config: new Config(slot) };
}

describe("the configuration service", () => {
  test("has all that Foundation 1.x had to offer [F001]", () => {
    const { config } = scene();
    const calls = ["get", "update", "validate", "updatablePaths", "reset", "available"] as const;
    expect(calls.filter((name) => typeof config[name] !== "function")).toEqual([]);
  });

  test("gives the whole, and what lies at a path [F002 F164 F491]", () => {
    const { config } = scene();
    expect(config.get()).toEqual(DEFAULT_CONFIG);
    expect(config.get([])).toBe(config.get());
  });

  test("reads both spellings, null and false [F003 F165 F492]", () => {
    const { config } = scene();
    expect(config.get(["ai", "planning", "sampling_rate"])).toBe(1);
    expect(config.get(RATE)).toBe(1);
    expect(config.get(["ai", "apiKey"])).toBeNull();
    expect(config.get(["dev", "debugMode"])).toBe(false);
  });

  test.each([[["no", "such"]], [["ai", "toString"]], [["ai", "provider", "length"]]])(
    "finds nothing at %j [F493]",
    (path) => {
      const { config } = scene();
      expect(codeOf(() => config.get(path))).toEqual(["config_path_not_found", 28_001]);
      expect(config.getWithDefault(path, "else")).toBe("else");
    },
  );

  test.each([
    [["__proto__"]],
    [["ai", "constructor"]],
    [["../../etc/passwd"]],
    [["<script>alert(1)</script>"]],
    [[7 as never]],
    [Array.from({ length: 1_000 }, () => "a")],
  ])("refuses a path that could do harm", (path) => {
    const { config } = scene();
    expect(codeOf(() => config.get(path))).toEqual(["security_violation", 1000]);
    expect(codeOf(() => config.update(path, 1))).toEqual(["security_violation", 1000]);
  });

  test("changes what can be changed [F004 F166 F494]", () => {
    const { config } = scene();
    config.update(RATE, 0.5);
    expect(config.get(RATE)).toBe(0.5);
    config.update(["interface", "max_results"], 5);
    expect(config.get(["interface", "maxResults"])).toBe(5);
    expect(config.status()).toMatchObject({ updatesCount: 2 });
  });

  test.each([[["ai", "provider"]], [["ai", "apiKey"]], [["storage", "hot"]], [["no", "such"]]])(
    "refuses to change %j [F167 F495]",
    (path) => {
      const { config } = scene();
      expect(codeOf(() => config.update(path, "x"))).toEqual(["config_update_forbidden", 1401]);
      expect(config.get()).toEqual(DEFAULT_CONFIG);
    },
  );

  test("looks at a value before it is used [F168 F496]", () => {
    const { config, happened } = scene();
    expect(codeOf(() => config.update(RATE, 2))).toEqual(["range_error", 1004]);
    expect(config.get(RATE)).toBe(1);
    expect(happened).toEqual([]);
  });

  test("looks at path, value, permission and rules in this order", () => {
    const { config } = scene();
    const evil = (): void => {};
    expect(codeOf(() => config.update(["__proto__"], evil))).toEqual(["security_violation", 1000]);
    expect(codeOf(() => config.update(["ai", "provider"], evil))?.[1]).toBe(1005);
    expect(codeOf(() => config.update(["ai", "provider"], 7))?.[1]).toBe(1401);
    expect(codeOf(() => config.update(RATE, "text"))?.[1]).toBe(1004);
  });

  const ring: Record<string, unknown> = {};
  ring["self"] = ring;
  const deep = Array.from({ length: 30 }).reduce<unknown>((inner) => ({ inner }), 1);
  test.each([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a long text", "x".repeat(1_000_001)],
    ["an instance", new Date()],
    ["a map", new Map()],
    ["what contains itself", ring],
    ["what is too deep", deep],
    ["a getter", Object.defineProperty({}, "a", { get: () => 1, enumerable: true })],
    ["a prototype key", JSON.parse('{"__proto__": {"a": 1}}')],
  ])("takes %s for no setting", (_name, value) => {
    const { config } = scene();
    expect(codeOf(() => config.update(RATE, value))).toEqual(["security_violation", 1005]);
  });

  test("does after a change what follows from it, in order", () => {
    const { clock, config, happened } = scene();
    config.subscribe((notification) => void happened.push(["told", notification]));
    clock.advance(5);
    config.update(["ai", "planning", "sampling_rate"], 0.5);
    const path = [...RATE];
    expect(happened).toEqual([
      ["told", { kind: "config_updated", path, value: 0.5, previousValue: 1 }],
      [
        "event",
        "config_updated",
        { path, newValue: 0.5, previousValue: 1, timestamp: clock.wallNow() },
      ],
      ["telemetry", "foundation.config_updates", { counter: 1 }, { path }],
    ]);
    expect(config.status().lastUpdate).toBe(clock.wallNow());
  });

  test("is changed also where events and telemetry fail", () => {
    const failing = (): never => {
      throw new Error("down");
    };
    const { config } = scene({ events: { record: failing }, telemetry: { execute: failing } });
    config.update(RATE, 0.5);
    expect(config.get(RATE)).toBe(0.5);
  });

  test("goes back to the defaults, or to what the sources said, D11 [F007 F497]", () => {
    const { config, happened } = scene({ initial: { dev: { debugMode: true } } });
    config.update(RATE, 0.5);
    config.reset({ to: "initial" });
    expect([config.get(RATE), config.get(["dev", "debugMode"])]).toEqual([1, true]);
    config.reset();
    expect(config.get()).toEqual(DEFAULT_CONFIG);
    expect(config.status().updatesCount).toBe(1);
    expect(happened.filter((it) => (it as unknown[])[1] === "config_reset")).toHaveLength(2);
    expect(happened.at(-1)).toEqual([
      "telemetry",
      "foundation.config_resets",
      { counter: 1 },
      { to: "defaults" },
    ]);
  });

  test("goes back to what the sources said in a section without defaults", () => {
    const schemas = {
      shop: v.object({ name: v.string() }),
      bill: v.object({ currency: v.optional(v.string(), "EUR") }),
    };
    const initial = { shop: { name: "main" }, bill: { currency: "USD" } };
    const updatable = [["shop", "name"]];
    const { config } = scene({ schemas, initial, updatable });
    config.update(["shop", "name"], "corner");
    config.reset();
    expect(config.get(["shop"])).toEqual({ name: "main" });
    expect(config.get(["bill"])).toEqual({ currency: "EUR" });
  });

  test("accepts a right configuration and says what is wrong [F005 F012 F013]", () => {
    const { config } = scene();
    expect(codeOf(() => config.validate(config.get()))).toBeUndefined();
    expect(codeOf(() => config.validate({ ...config.get(), dev: null }))).toEqual([
      "invalid_config_structure",
      1101,
    ]);
    expect(() => config.get(["no"])).toThrow(
      expect.objectContaining({ context: { path: ["no"] } }),
    );
  });

  test("is unavailable while it is not running, and says so [F008 F169 F502]", () => {
    const { slot, core, config } = scene();
    expect(config.available()).toBe(true);
    const never = new Config(new ServiceSlot<ConfigCore>("config", 5000));
    expect(never.available()).toBe(false);
    for (const run of [() => never.get(), () => never.status(), () => never.update(RATE, 1)]) {
      expect(codeOf(run)).toEqual(["service_unavailable", 5000]);
    }
    expect(never.getWithDefault(RATE, 0.3)).toBe(0.3);
    slot.remove(core);
    expect(config.available()).toBe(false);
    expect(config.get(RATE)).toBe(1);
    expect(codeOf(() => config.update(RATE, 0.5))).toEqual(["service_unavailable", 5000]);
  });

  test("has figures [F503]", () => {
    const { clock, config } = scene();
    clock.advance(120);
    config.subscribe(() => {});
    expect(config.status()).toEqual({
      status: "running",
      uptimeMs: 120,
      updatesCount: 0,
      lastUpdate: undefined,
      subscribersCount: 1,
      subscriberFailures: 0,
    });
  });

  test("forgets everything in test mode only [F498 F499 F504]", () => {
    expect(codeOf(() => scene().config.resetState())).toEqual(["operation_forbidden", 5002]);
    const { config } = scene({ testMode: true });
    config.subscribe(() => {});
    config.update(RATE, 0.5);
    config.resetState();
    expect(config.get()).toEqual(DEFAULT_CONFIG);
    expect(config.status()).toMatchObject({ updatesCount: 0, subscribersCount: 0 });
  });

  test("goes on after refusals, as healthy as before [F172 F173]", () => {
    const { config } = scene();
    for (let turn = 0; turn < 20; turn++) {
      expect(codeOf(() => config.update(RATE, 7))).toBeDefined();
    }
    config.update(RATE, 0.25);
    expect(config.get(RATE)).toBe(0.25);
    expect(config.status()).toMatchObject({ status: "running", updatesCount: 1 });
  });

  test("serves many readers and writers in turn [F170 F171]", async () => {
    const { config } = scene();
    const writers = Array.from({ length: 25 }, async (_, index) => {
      await Promise.resolve();
      config.update(["interface", "maxResults"], index + 1);
      return config.get(["interface", "maxResults"]) === index + 1;
    });
    expect(await Promise.all(writers)).toEqual(writers.map(() => true));
    expect(config.status().updatesCount).toBe(25);
  });

  test("is the same after a restart: values, counters, subscribers", () => {
    const { slot, core, config } = scene();
    const told: string[] = [];
    const stop = config.subscribe(({ kind }) => void told.push(kind));
    config.update(RATE, 0.5);
    slot.remove(core);
    const next = new ConfigCore();
    next.adopt(core);
    slot.install(next);
    config.update(RATE, 0.75);
    expect(config.get(RATE)).toBe(0.75);
    expect(told).toEqual(["config_updated", "config_updated"]);
    expect(config.status()).toMatchObject({ updatesCount: 2, subscribersCount: 1 });
    stop();
    config.update(RATE, 0.25);
    expect([told.length, config.status().subscribersCount]).toEqual([2, 0]);
  });
});

describe("subscribers", () => {
  test("are told of every change, the newest first, each once [F500]", () => {
    const { config } = scene();
    const told: string[] = [];
    const first = (): void => void told.push("first");
    config.subscribe(first);
    config.subscribe(() => void told.push("second"));
    config.subscribe(first);
    config.update(RATE, 0.5);
    expect(told).toEqual(["first", "second"]);
    expect([config.unsubscribe(first), config.unsubscribe(first)]).toEqual([true, false]);
    config.update(RATE, 0.6);
    expect(told).toEqual(["first", "second", "second"]);
  });

  test("may ask for a part only", () => {
    const { config } = scene();
    const told: ConfigNotification[] = [];
    const stop = config.subscribe((it) => void told.push(it), { path: ["ai", "planning"] });
    config.update(["interface", "maxResults"], 5);
    config.update(RATE, 0.5);
    stop();
    config.update(RATE, 0.6);
    expect(told).toEqual([
      { kind: "config_updated", path: [...RATE], value: 0.5, previousValue: 1 },
    ]);
  });

  test("that are processes get messages, and are forgotten when they end [F501]", async () => {
    const { config, processes } = scene();
    const inbox: unknown[] = [];
    const pid: Pid = processes.spawn((message: unknown) => void inbox.push(message));
    config.subscribe(pid);
    config.update(RATE, 0.5);
    await settled();
    const notification = { kind: "config_updated", path: [...RATE], value: 0.5, previousValue: 1 };
    expect(inbox).toEqual([{ kind: "CONFIG_NOTIFICATION", notification }]);
    processes.exit(pid, "kill");
    await settled();
    config.update(RATE, 0.6);
    expect(config.status()).toMatchObject({ subscribersCount: 0, updatesCount: 2 });
  });

  test("that throw are counted, and harm no other", () => {
    const { config } = scene();
    let told = 0;
    config.subscribe(() => {
      told += 1;
    });
    config.subscribe(() => {
      throw new Error("mine");
    });
    config.update(RATE, 0.5);
    expect([told, config.status().subscriberFailures]).toEqual([1, 1]);
  });

  test("that reject are counted, and are nobody's unhandled rejection", async () => {
    const { config } = scene();
    config.subscribe(async () => Promise.reject(new Error("mine")));
    config.update(RATE, 0.5);
    await settled();
    expect(config.status()).toMatchObject({ subscriberFailures: 1, subscribersCount: 1 });
  });

  test("that change something themselves have everybody told in the order of the changes", () => {
    const { clock, config, happened } = scene();
    const path = ["interface", "maxResults"];
    const start = clock.wallNow();
    config.subscribe((news) => void happened.push(["told", news]));
    config.subscribe((news) => {
      if (news.kind !== "config_updated" || news.value !== 5) return;
      clock.advance(7);
      config.update(path, 6);
      expect(config.get(path)).toBe(6);
      config.reset();
    });
    config.update(path, 5);
    const counted = ["telemetry", "foundation.config_updates", { counter: 1 }, { path }];
    const change = (newValue: number, previousValue: number, timestamp: number) => [
      ["told", { kind: "config_updated", path, value: newValue, previousValue }],
      ["event", "config_updated", { path, newValue, previousValue, timestamp }],
      counted,
    ];
    expect(happened.slice(0, 6)).toEqual([...change(5, 1_000, start), ...change(6, 5, start + 7)]);
    expect(happened.slice(6)).toMatchObject([
      ["told", { kind: "config_reset" }],
      ["event", "config_reset", { timestamp: start + 7, resetFromUpdatesCount: 2 }],
      ["telemetry", "foundation.config_resets", { counter: 1 }, { to: "defaults" }],
    ]);
  });

  test("that answer each change with another one are stopped", () => {
    const { config } = scene();
    const path = ["interface", "maxResults"];
    config.subscribe((news) => {
      if (news.kind === "config_updated") config.update(path, (news.value as number) + 1);
    });
    for (const round of [1, 2]) {
      config.update(path, 1);
      expect(config.get(path)).toBe(1_001);
      expect(config.status().subscriberFailures).toBe(round);
    }
  });
});

describe("what is nobody's to change", () => {
  test.each([[["ai", "api_key"]], [["storage", "encryption_key"]], [["security", "x"]]])(
    "is refused by safeUpdate: %j",
    (path) => {
      const { config } = scene();
      expect(codeOf(() => config.safeUpdate(path, "x"))).toEqual(["config_update_forbidden", 1401]);
    },
  );

  test("and so is what is no path", () => {
    const { config } = scene();
    expect(codeOf(() => config.safeUpdate("ai" as never, 1))).toEqual(["invalid_path", 28_003]);
    config.safeUpdate(RATE, 0.5);
    expect(config.get(RATE)).toBe(0.5);
  });
});

describe("secrets", () => {
  test("are readable, and nowhere shown", () => {
    const { config } = scene({ initial: { ai: { apiKey: "very-secret" } } });
    expect(config.get(["ai", "apiKey"])).toBe("very-secret");
    const shown = [JSON.stringify(config), inspect(config, { depth: 9 })].join();
    expect(shown).toContain("[redacted]");
    expect(shown).not.toContain("very-secret");
  });

  test("are not shown by what is read, told or refused either", () => {
    const own = v.object({ token: v.optional(v.picklist(["very-secret"]), "very-secret") });
    const { config } = scene({
      schemas: { shop: own },
      initial: { ai: { apiKey: "very-secret" } },
      updatable: [["shop", "token"]],
    });
    const told: unknown[] = [];
    config.subscribe((notification) => void told.push(notification));
    config.reset({ to: "initial" });
    const refused = attempt(() => config.update(["shop", "token"], "other-secret"));
    const read = [config.get(), config.get(["ai"]), config.get(["shop"])];
    const shown = inspect([told, refused, read], { depth: 12 });
    expect(shown).toContain("[redacted]");
    expect(shown).not.toMatch(/very-secret|other-secret/);
    expect(JSON.stringify([told, refused])).not.toMatch(/very-secret|other-secret/);
    // The program itself has them.
    expect(config.get(["ai"])).toMatchObject({ apiKey: "very-secret" });
  });
});

describe("sections of the user's own", () => {
  const schemas = {
    shop: v.object({
      currency: v.optional(v.picklist(["EUR", "USD"]), "EUR"),
      token: v.optional(v.string(), ""),
    }),
  };

  test("are what their schema makes of them", () => {
    const { config } = scene({ schemas, initial: { shop: { currency: "USD" } } });
    expect(config.get(["shop", "currency"])).toBe("USD");
    expect(scene({ schemas }).config.get(["shop", "currency"])).toBe("EUR");
  });

  test("are refused with the schema's words, or where nobody declared them", () => {
    expect(() => scene({ schemas, initial: { shop: { currency: "GBP" } } })).toThrow(
      expect.objectContaining({
        code: "validation_failed",
        numericCode: 1001,
        message: expect.stringMatching(/^shop\.currency: /) as string,
      }),
    );
    expect(codeOf(() => scene({ initial: { shpo: {} } }))).toEqual(["validation_failed", 1001]);
  });

  test.each([[["a", "b"]], [null], ["text"], [7]])(
    "are seen by their schema as they are: %j",
    (shop) => {
      const { config } = scene({ schemas: { shop: v.any() }, initial: { shop } });
      expect(config.get(["shop"])).toEqual(shop);
    },
  );

  test("reach no prototype, whatever their schema makes of them", () => {
    const shop = v.pipe(
      v.any(),
      v.transform(() => JSON.parse('{"in": {"__proto__": {"admin": true}}}') as unknown),
    );
    const { config } = scene({ schemas: { shop } });
    expect(Reflect.get(config.get(["shop", "in"]) as object, "admin")).toBeUndefined();
  });

  test("made by `section` have the settings that it names and no others", () => {
    const own = { shop: section({ currency: v.optional(v.picklist(["EUR", "USD"]), "EUR") }) };
    expect(scene({ schemas: own }).config.get(["shop"])).toEqual({ currency: "EUR" });
    expect(() => scene({ schemas: own, initial: { shop: { curency: "USD" } } })).toThrow(
      expect.objectContaining({
        ...{ code: "validation_failed", numericCode: 1001 },
        message: expect.stringMatching(/^shop\.curency: /) as string,
      }),
    );
  });

  test("can be changed where the user says so, within the schema", () => {
    const { config } = scene({
      schemas,
      updatable: [
        ["shop", "currency"],
        ["shop", "token"],
      ],
    });
    const told: unknown[] = [];
    config.subscribe((notification) => void told.push(notification));
    config.update(["shop", "currency"], "USD");
    expect(config.get(["shop", "currency"])).toBe("USD");
    expect(codeOf(() => config.update(["shop", "currency"], "GBP"))?.[1]).toBe(1001);
    config.update(["shop", "token"], "hidden");
    expect(JSON.stringify(told)).not.toContain("hidden");
  });
});

describe("the environment", () => {
  test("sets what the configuration has, by the type of its default", () => {
    const { values, ignored } = readEnvironment(
      {
        FOUNDATION__AI__PLANNING__SAMPLING_RATE: "0.5",
        FOUNDATION__DEV__DEBUG_MODE: "true",
        FOUNDATION__AI__MODEL: "7",
        FOUNDATION__NO__SUCH: "1",
        FOUNDATION__AI: "{}",
        OTHER: "x",
      },
      DEFAULT_CONFIG as never,
    );
    expect(values).toEqual({
      ai: { planning: { samplingRate: 0.5 }, model: "7" },
      dev: { debugMode: true },
    });
    expect(ignored).toEqual(["FOUNDATION__NO__SUCH", "FOUNDATION__AI"]);
  });

  test.each([
    ["FOUNDATION__AI__PLANNING__SAMPLING_RATE", "half"],
    ["FOUNDATION__AI__PLANNING__SAMPLING_RATE", ""],
    ["FOUNDATION__DEV__DEBUG_MODE", "yes"],
  ])("with %s=%s is refused", (name, text) => {
    expect(codeOf(() => readEnvironment({ [name]: text }, DEFAULT_CONFIG as never))).toEqual([
      "invalid_config_value",
      1002,
    ]);
  });
});

describe("the fallback", () => {
  function fallbackScene() {
    const all = scene();
    const slot = new ServiceSlot<ConfigCore>("config", 5000);
    slot.install(all.core);
    const config = new Config(slot);
    // Down for good: nothing of the last core is to be read.
    const down = new Config(new ServiceSlot<ConfigCore>("config", 5000));
    const outage = { isOut: false };
    const facade = {
      get: (path: readonly string[]): unknown => (outage.isOut ? down : config).get(path),
      update: (path: readonly string[], value: unknown): void =>
        (outage.isOut ? down : config).update(path, value),
    };
    const fallback = new ConfigFallback(facade as unknown as Config, all.clock);
    return { ...all, config, outage, fallback };
  }

  test("starts empty, can be emptied, and any number of times [F223 F224 F225]", () => {
    const { fallback } = fallbackScene();
    const empty = { configCacheEntries: 0, pendingUpdateEntries: 0, totalEntries: 0, evicted: 0 };
    expect(fallback.getCacheStats()).toEqual(empty);
    fallback.getWithFallback(RATE);
    fallback.cleanup();
    fallback.cleanup();
    expect(fallback.getCacheStats()).toEqual(empty);
  });

  test("reads what is there, or what was there [F226 F227]", () => {
    const { config, outage, fallback } = fallbackScene();
    config.update(RATE, 0.5);
    expect(fallback.getWithFallback(RATE)).toBe(0.5);
    outage.isOut = true;
    expect(fallback.getWithFallback(RATE)).toBe(0.5);
  });

  test("has nothing to say of what it never read, or read too long ago [F228]", () => {
    const { clock, outage, fallback } = fallbackScene();
    fallback.getWithFallback(RATE);
    outage.isOut = true;
    const unknown = (): unknown => fallback.getWithFallback(["ai", "model"]);
    expect(codeOf(unknown)).toEqual(["config_unavailable", 28_002]);
    clock.advance(300_000);
    expect(fallback.getWithFallback(RATE)).toBe(1);
    clock.advance(1);
    expect(codeOf(() => fallback.getWithFallback(RATE))).toEqual(["config_unavailable", 28_002]);
  });

  test("changes what it can, and keeps what it cannot yet [F229 F230 F231]", () => {
    const { config, outage, fallback } = fallbackScene();
    fallback.updateWithFallback(RATE, 0.5);
    expect(config.get(RATE)).toBe(0.5);
    outage.isOut = true;
    expect(codeOf(() => fallback.updateWithFallback(RATE, 0.75))?.[0]).toBe("service_unavailable");
    expect(fallback.retryPendingUpdates()).toEqual({ applied: 0, left: 1 });
    outage.isOut = false;
    expect(fallback.retryPendingUpdates()).toEqual({ applied: 1, left: 0 });
    expect(config.get(RATE)).toBe(0.75);
  });

  test("drops what is too old, and counts what it has [F232 F233]", () => {
    const { clock, outage, fallback } = fallbackScene();
    fallback.getWithFallback(RATE);
    outage.isOut = true;
    codeOf(() => fallback.updateWithFallback(RATE, 0.75));
    expect(fallback.getCacheStats()).toMatchObject({
      totalEntries: 2,
      configCacheEntries: 1,
      pendingUpdateEntries: 1,
    });
    clock.advance(300_001);
    expect(fallback.cleanupExpiredCache()).toBe(2);
    expect(fallback.getCacheStats().totalEntries).toBe(0);
  });

  test("holds a bounded number of paths [F242 F243 F244]", () => {
    const { outage, fallback } = fallbackScene();
    outage.isOut = true;
    for (let index = 0; index < 1_500; index++) {
      codeOf(() => fallback.updateWithFallback(["dev", `setting${index}`], true));
    }
    expect(fallback.getCacheStats()).toMatchObject({ pendingUpdateEntries: 1_000, evicted: 500 });
  });
});
