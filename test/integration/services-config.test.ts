import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import * as v from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Foundation } from "../../dist/ts/index.js";
import { restarted } from "./service-outages.ts";
import { ServiceScene } from "./service-scene.ts";

const WORKER = fileURLToPath(new URL("./fixtures/config-worker.mjs", import.meta.url));
const RATE = ["ai", "planning", "samplingRate"] as const;

let scene: ServiceScene;
beforeEach(() => {
  scene = new ServiceScene();
});
afterEach(async () => scene.end());

function fileOf(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "foundation-config-"));
  scene.atEnd(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("files, environment and code set what they say, the later ones over the earlier", async () => {
  const json = fileOf("a.json", '{"dev": {"debug_mode": true}, "interface": {"max_results": 1}}');
  const yaml = fileOf("b.yaml", "interface:\n  max_results: 2\n  query_timeout: 2\n");
  const toml = fileOf("c.toml", "[interface]\nquery_timeout = 3\nenable_streaming = false\n");
  const node = await scene.start({
    config: {
      files: [json, yaml, toml],
      env: { FOUNDATION__INTERFACE__QUERY_TIMEOUT: "4", FOUNDATION__SHOP__NAME: "corner" },
      values: { interface: { queryTimeout: 5 }, shop: { name: "main" } },
      schemas: { shop: v.object({ name: v.string(), open: v.optional(v.boolean(), true) }) },
    },
  });
  expect(node.config.get(["dev", "debugMode"])).toBe(true);
  expect(node.config.get(["interface"])).toEqual({
    queryTimeout: 5,
    maxResults: 2,
    enableStreaming: false,
  });
  expect(node.config.get(["shop"])).toEqual({ name: "main", open: true });
});

test.each([
  ["a file that is not there", { files: ["/no/such/file.json"] }, "config_not_found"],
  ["a wrong value", { values: { dev: { debugMode: 7 as never } } }, "validation_failed"],
  ["a schema that is none", { schemas: { shop: {} as never } }, "invalid_options"],
])("a node does not start with %s", async (_name, config, code) => {
  await expect(Foundation.start({ name: "same", config })).rejects.toMatchObject({ code });
  // Nothing of it is left: the name can be used again.
  await scene.start({ name: "same" });
});

test("a file that cannot be understood is named", async () => {
  const path = fileOf("a.yaml", "a: [1");
  await expect(Foundation.start({ config: { files: [path] } })).rejects.toMatchObject({
    code: "format_error",
    message: expect.stringContaining(path) as string,
  });
});

test.each([
  ["s.json", '{"ai": {"apiKey": sk-SECRET1}}', {}],
  ["t.json", '{\n"ai": {"apiKey": 12 "sk-SECRET1"}}', { line: 2, column: 21 }],
  ["s.yaml", 'ai:\n  apiKey: "sk-SECRET1\n  model: x\n', { line: 4, column: 1 }],
  ["t.yaml", "ai:\n  apiKey: *sk-SECRET1\n", {}],
  ["s.toml", '[ai]\napiKey = "sk-SECRET1\n', { line: 2 }],
])("no error of a file shows what is in it: %s", async (name, text, place) => {
  const path = fileOf(name, text);
  const thrown: unknown = await Foundation.start({ config: { files: [path] } }).catch(
    (error: unknown) => error,
  );
  expect(thrown).toMatchObject({ code: "format_error", context: { path, ...place } });
  expect(inspect(thrown, { depth: null, showHidden: true })).not.toMatch(/SECRET|apiKey/);
});

test.each([
  ["code", JSON.parse('{"shop": {"in": {"__proto__": {"admin": true}}}}') as object, "{}"],
  ["a file", {}, '{"shop": {"list": [{"constructor": {"admin": true}}]}}'],
  ["code that hides behaviour", { shop: { call: () => 1 } }, "{}"],
])("what would reach a prototype or is no setting is refused from %s", async (...given) => {
  const [, values, text] = given;
  const config = { values, files: [fileOf("a.json", text)], schemas: { shop: v.any() } };
  await expect(Foundation.start({ config: config as never })).rejects.toMatchObject({
    code: "security_violation",
    numericCode: 1005,
    message: expect.stringMatching(/^(code|file:.*a\.json): /) as string,
  });
});

test("what is restarted subscribes no second time", async () => {
  const node = await scene.start({ config: { env: false } });
  const before = node.config.status().subscribersCount;
  for (let round = 0; round < 3; round++) {
    await restarted(node, "config");
    await restarted(node, "events");
  }
  expect(node.config.status().subscribersCount).toBe(before);
});

test("an isolate has the settings from its start, and is told of changes", async () => {
  const node = await scene.start({ config: { values: { ai: { apiKey: "hidden" } } } });
  node.config.update(RATE, 0.5);
  const ask = await scene.startWorker(WORKER);
  expect(await ask("get", RATE)).toEqual({ value: 0.5 });
  expect(await ask("get", ["ai", "api_key"])).toEqual({ value: "hidden" });
  const told = ask("told");
  node.config.update(RATE, 0.25);
  expect((await told).value).toMatchObject({ kind: "config_updated", value: 0.25 });
  expect(await ask("get", RATE)).toEqual({ value: 0.25 });
});

test("an isolate changes settings of the node, by the node's rules", async () => {
  const node = await scene.start();
  const ask = await scene.startWorker(WORKER);
  expect(await ask("change", RATE, 0.75)).toEqual({ value: 0.75 });
  expect(node.config.get(RATE)).toBe(0.75);
  expect(await ask("change", RATE, 7)).toEqual({ code: "range_error" });
  expect(await ask("change", ["ai", "provider"], "x")).toEqual({ code: "config_update_forbidden" });
  expect(await ask("update", RATE, 0.5)).toEqual({ code: "not_root_isolate" });
});

test.each(["config", "configAuthority"])(
  "settings outlive the process of %s, and can be read meanwhile",
  async (id) => {
    const node = await scene.start();
    const { processes, supervisors } = node.beam;
    const ask = await scene.startWorker(WORKER);
    const told: unknown[] = [];
    node.config.subscribe(({ kind }) => void told.push(kind));
    node.config.update(RATE, 0.5);
    const supervisor = node.services.supervisor as NonNullable<typeof node.services.supervisor>;
    const children = await supervisors.whichChildren(supervisor);
    const victim = children.find((child) => child.id === id)?.pid;
    expect(victim).toBeDefined();
    if (victim !== undefined) processes.exit(victim, "kill");
    expect(node.config.get(RATE)).toBe(0.5);
    // The supervisor answers once it has restarted what was killed.
    await supervisors.whichChildren(supervisor);
    expect(await ask("change", RATE, 0.75)).toEqual({ value: 0.75 });
    expect(node.config.status()).toMatchObject({ updatesCount: 2 });
    expect(told).toEqual(["config_updated", "config_updated"]);
  },
);
