import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Foundation, type FoundationNode } from "../../dist/ts/index.js";

const WORKER = fileURLToPath(new URL("./fixtures/registry-worker.mjs", import.meta.url));

type Answer = { readonly value?: unknown; readonly code?: string };

let node: FoundationNode;
let worker: Worker;
let pid: string;

async function ask(act: string, ...args: string[]): Promise<Answer> {
  const answer = once(worker, "message");
  worker.postMessage({ act, args });
  return ((await answer) as [Answer])[0];
}

/** Resolves when a condition on the registry holds; every change of it is a moment to look. */
async function until(isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  await new Promise<void>((resolve) => {
    const stop = node.processRegistry.onChange(() => {
      if (!isSo()) return;
      stop();
      resolve();
    });
  });
}

beforeEach(async () => {
  node = await Foundation.start();
  worker = new Worker(WORKER);
  pid = ((await once(worker, "message")) as [{ value: string }])[0].value;
});

afterEach(async () => {
  await worker.terminate();
  await node.leave();
});

test("an isolate reads names that another one gave, and is told when they go", async () => {
  const { processes } = node.beam;
  const own = processes.spawn(() => {});
  const waiting = ask("wait", "production", "api");
  node.processRegistry.register("production", "api", own);
  expect(await waiting).toEqual({ value: own.toString() });
  expect(node.processRegistry.stats().replicas).toBe(2);
  processes.exit(own, "kill");
  // A claim is answered behind the news of the end.
  expect(await ask("claim", "production", "other")).toEqual({ value: pid });
  expect(await ask("lookup", "production", "api")).toEqual({ value: "undefined" });
});

test("an isolate claims names for its own, and loses them with its end", async () => {
  expect(await ask("claim", "production", "job")).toEqual({ value: pid });
  expect(node.processRegistry.lookup("production", "job")?.toString()).toBe(pid);
  await worker.terminate();
  await until(() => node.processRegistry.lookup("production", "job") === undefined);
  const own = ["config_server", "event_store", "infrastructure", "telemetry_service"];
  expect(node.processRegistry.listServices("production").sort()).toEqual(own);
});

test("a name is one process's, whichever isolate asks", async () => {
  const own = node.beam.processes.spawn(() => {});
  node.processRegistry.register("production", "api", own);
  expect(await ask("claim", "production", "api")).toEqual({ code: "already_registered" });
  expect(await ask("register", "production", "new")).toEqual({ code: "not_root_isolate" });
  expect(await ask("release", "production", "api")).toEqual({ value: true });
  expect(await ask("claim", "production", "api")).toEqual({ value: pid });
});

test.each(["processRegistry", "registryAuthority"])(
  "names outlive the process of %s, in every isolate",
  async (id) => {
    const { processes, supervisors } = node.beam;
    const own = processes.spawn(() => {});
    node.processRegistry.register("production", "api", own);
    const supervisor = node.services.supervisor as NonNullable<typeof node.services.supervisor>;
    const children = await supervisors.whichChildren(supervisor);
    const victim = children.find((child) => child.id === id)?.pid;
    expect(victim).toBeDefined();
    if (victim !== undefined) processes.exit(victim, "kill");
    // The supervisor answers once it has restarted what was killed.
    await supervisors.whichChildren(supervisor);
    expect(node.processRegistry.lookup("production", "api")).toBe(own);
    expect(await ask("claim", "production", "job")).toEqual({ value: pid });
    expect(await ask("lookup", "production", "api")).toEqual({ value: own.toString() });
  },
);
