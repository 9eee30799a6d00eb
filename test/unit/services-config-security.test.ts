import { describe, expect, test } from "vitest";
import { Config } from "../../dist/ts/services/config/config.js";
import { ConfigCore } from "../../dist/ts/services/config/config-core.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { codeOf } from "./thrown-code.ts";

const RATE = ["ai", "planning", "samplingRate"];

function running(): { readonly config: Config; readonly before: string } {
  const slot = new ServiceSlot<ConfigCore>("config", 5000);
  slot.install(new ConfigCore({ updatable: [["ai", "model"]] }));
  const config = new Config(slot);
  return { config, before: JSON.stringify(config.get()) };
}

/** What was tried changed nothing, neither here nor in any object's prototype. */
function expectUnharmed({ config, before }: ReturnType<typeof running>): void {
  expect(JSON.stringify(config.get())).toBe(before);
  expect(config.status()).toMatchObject({ status: "running", updatesCount: 0 });
  expect(Reflect.get({}, "polluted")).toBeUndefined();
}

describe("a path", () => {
  test.each([
    ["__proto__"],
    ["constructor"],
    ["prototype"],
    ["__struct__"],
    ["__info__"],
    ["../../etc/passwd"],
    ["<script>alert(1)</script>"],
    ["'; DROP TABLE users; --"],
    ["eval_string('1')"],
    ["a".repeat(256)],
  ])("with the name %j is refused, to read and to change [F125]", (name) => {
    const all = running();
    for (const path of [[name], ["ai", name], ["ai", "planning", name, "polluted"]]) {
      expect(codeOf(() => all.config.get(path))).toEqual(["security_violation", 1000]);
      expect(codeOf(() => all.config.update(path, 1))).toEqual(["security_violation", 1000]);
      expect(codeOf(() => all.config.safeUpdate(path, 1))).toEqual(["security_violation", 1000]);
      expect(codeOf(() => all.config.subscribe(() => {}, { path }))?.[1]).toBe(1000);
    }
    expectUnharmed(all);
  });

  test.each([51, 1_000, 100_000])("of %i names is refused [F126]", (length) => {
    const all = running();
    const path = Array.from({ length }, (_, index) => `level${index}`);
    expect(codeOf(() => all.config.get(path))).toEqual(["security_violation", 1000]);
    expect(codeOf(() => all.config.update(path, 1))).toEqual(["security_violation", 1000]);
    expectUnharmed(all);
  });

  test("of fifty names is a path like any other, with nothing there", () => {
    const path = Array.from({ length: 50 }, (_, index) => `level${index}`);
    expect(codeOf(() => running().config.get(path))?.[0]).toBe("config_path_not_found");
  });

  test.each<[string, unknown]>([
    ["a number", 1],
    ["an object", { toString: () => "ai" }],
    ["a list", ["ai"]],
    ["null", null],
    ["undefined", undefined],
    ["a function", () => "ai"],
    ["a symbol", Symbol("ai")],
    ["a boxed text", Object("ai")],
  ])("with %s for a name is refused [F127]", (_what, name) => {
    const all = running();
    const path = [name, "planning"] as readonly string[];
    expect(codeOf(() => all.config.get(path))).toEqual(["security_violation", 1000]);
    expect(codeOf(() => all.config.update(path, 1))).toEqual(["security_violation", 1000]);
    expectUnharmed(all);
  });
});

describe("a value", () => {
  const withSetter = Object.defineProperty({}, "polluted", { set: () => {}, enumerable: true });
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = [cyclic];
  let deep: unknown = 0;
  for (let level = 0; level < 21; level++) deep = { deep };

  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a function within", { a: [() => 1] }],
    ["an instance of a class", new (class Hidden {})()],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a promise", Promise.resolve()],
    ["a setter", withSetter],
    ["itself within", cyclic],
    ["more than twenty levels", deep],
    ["a key that reaches a prototype", JSON.parse('{"__proto__":{"polluted":1}}') as unknown],
    ["the key `constructor`", { constructor: { prototype: { polluted: 1 } } }],
    ["a symbol", Symbol("a")],
  ])("that is %s is refused [F128]", (_what, value) => {
    const all = running();
    expect(codeOf(() => all.config.update(RATE, value))).toEqual(["security_violation", 1005]);
    expectUnharmed(all);
  });

  test.each([1_000_001, 10_000_000])("of %i bytes is refused [F129]", (bytes) => {
    const all = running();
    for (const value of ["x".repeat(bytes), { text: ["x".repeat(bytes)] }]) {
      expect(codeOf(() => all.config.update(["ai", "model"], value))?.[1]).toBe(1005);
    }
    // Counted in bytes and not in characters.
    const wide = "é".repeat(bytes / 2 + 1);
    expect(codeOf(() => all.config.update(["ai", "model"], wide))?.[1]).toBe(1005);
    expectUnharmed(all);
  });

  test("of a million bytes is taken", () => {
    const { config } = running();
    config.update(["ai", "model"], "x".repeat(1_000_000));
    expect(String(config.get(["ai", "model"])).length).toBe(1_000_000);
  });
});
