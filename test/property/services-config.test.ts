import fc from "fast-check";
import { expect, test } from "vitest";
import { attempt } from "../../dist/ts/index.js";
import { Config } from "../../dist/ts/services/config/config.js";
import { ConfigCore } from "../../dist/ts/services/config/config-core.js";
import { DEFAULT_CONFIG, UPDATABLE_PATHS } from "../../dist/ts/services/config/config-defaults.js";
import { validateConfig, validateSection } from "../../dist/ts/services/config/config-validator.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";

function start(): { config: Config; core: ConfigCore; slot: ServiceSlot<ConfigCore> } {
  const slot = new ServiceSlot<ConfigCore>("config", 5000);
  const core = new ConfigCore();
  slot.install(core);
  return { config: new Config(slot), core, slot };
}

const path = fc.constantFrom(...UPDATABLE_PATHS);
const anyValue = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(0, 0.5, 1, 100, true, false),
  fc.anything(),
);
const anyPath = fc.array(fc.oneof(fc.string(), fc.constantFrom("ai", "planning", "dev")), {
  maxLength: 60,
});

test("whatever is tried, it is valid and changes by successes only [F076 F077]", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, anyValue), { maxLength: 30 }), (updates) => {
      const { config } = start();
      let successes = 0;
      for (const [at, value] of updates) {
        const before = config.get();
        if (attempt(() => config.update(at, value)).ok) {
          successes += 1;
          expect(config.get(at)).toEqual(value);
        } else expect(config.get()).toBe(before);
        validateConfig(config.get());
      }
      expect(config.status().updatesCount).toBe(successes);
    }),
  );
});

test("reading any path gives the same each time, a value or an error of ours [F078 F083]", () => {
  fc.assert(
    fc.property(anyPath, (at) => {
      const { config } = start();
      const [first, second] = [attempt(() => config.get(at)), attempt(() => config.get(at))];
      expect(second.ok).toBe(first.ok);
      if (first.ok && second.ok) expect(second.value).toBe(first.value);
      else {
        const { error } = first as { error: { code: string } };
        expect(["config_path_not_found", "security_violation"]).toContain(error.code);
      }
    }),
  );
});

test("any section is accepted, or refused by an error of ours [F079 F084]", () => {
  const section = fc.constantFrom(...(Object.keys(DEFAULT_CONFIG) as ["ai"]));
  fc.assert(
    fc.property(section, fc.anything(), (name, value) => {
      const seen = attempt(() => validateSection(name, value));
      expect(attempt(() => validateSection(name, value)).ok).toBe(seen.ok);
      if (seen.ok) expect(Object.keys(value as object).sort()).toEqual(keysOf(name));
      else expect((seen.error as { code: unknown }).code).toEqual(expect.any(String));
    }),
  );
});

function keysOf(name: "ai"): string[] {
  return Object.keys(DEFAULT_CONFIG[name]).sort();
}

test("a reset gives the defaults, whatever was changed [F080]", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, anyValue), { maxLength: 20 }), (updates) => {
      const { config } = start();
      for (const [at, value] of updates) attempt(() => config.update(at, value));
      config.reset();
      expect(config.get()).toEqual(DEFAULT_CONFIG);
    }),
  );
});

test("a restart keeps every change that was made [F081]", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, anyValue), { maxLength: 20 }), (updates) => {
      const { config, core, slot } = start();
      for (const [at, value] of updates) attempt(() => config.update(at, value));
      const before = config.get();
      slot.remove(core);
      expect(config.get()).toEqual(before);
      const next = new ConfigCore();
      next.adopt(core);
      slot.install(next);
      expect(config.get()).toEqual(before);
    }),
  );
});

test("subscribers are those who subscribed and did not end it, in any order [F082 F085]", () => {
  const command = fc.tuple(
    fc.constantFrom("subscribe", "unsubscribe", "update"),
    fc.nat({ max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const { config } = start();
      const told = Array.from({ length: 6 }, () => 0);
      const listeners = told.map((_, who) => () => {
        told[who] = (told[who] as number) + 1;
      });
      const subscribed = new Set<number>();
      const expected = told.map(() => 0);
      let value = 1;
      for (const [what, who] of commands) {
        const listener = listeners[who] as () => void;
        if (what === "subscribe") {
          config.subscribe(listener);
          subscribed.add(who);
        } else if (what === "unsubscribe") {
          expect(config.unsubscribe(listener)).toBe(subscribed.delete(who));
        } else {
          value += 1;
          config.update(["interface", "maxResults"], value);
          for (const one of subscribed) expected[one] = (expected[one] as number) + 1;
        }
        expect(config.status().subscribersCount).toBe(subscribed.size);
      }
      expect(told).toEqual(expected);
    }),
  );
});
