import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scenario } from "./child-program.ts";

const SCENARIOS = "./panic-scenarios.mjs";
const TEST_CORE = fileURLToPath(new URL("../../dist/test/test_core.node", import.meta.url));
const DEAD = "kernel_panicked";
const IN_ISOLATE = "another thread panicked while it worked for the kernel thread";

describe("a kernel thread that panics", () => {
  test.each([
    ["in its own work", "kernel", "a panic for the test of the kernel"],
    ["in a task", "task", "a panic for the test of a task"],
    ["where an isolate polls for it", "polling", IN_ISOLATE],
    ["where an isolate sends for it", "sending", IN_ISOLATE],
  ])("%s fails its nodes, wherever they are attached, and nothing else", async (_, name, text) => {
    expect(await scenario(SCENARIOS, [name])).toEqual({
      code: DEAD,
      message: `the kernel thread panicked: ${text}`,
      waits: [DEAD, DEAD],
      fromOther: true,
      down: "home",
      calls: {
        ...{ send: DEAD, call: DEAD, broadcast: DEAD, drained: DEAD, handle: DEAD },
        ...{ awaitReady: DEAD, join: DEAD, metrics: DEAD },
        leave: "no error: undefined",
        attach: "unknown_node",
      },
      worker: { code: DEAD, send: DEAD },
      again: "alive",
      left: {
        ...{ nodes: 0, kernels: 0, isolates: 0, doorbells: 0, isolateRings: 0 },
        ...{ slabsLive: 0, slabsInTransit: 0, blocksLive: 0, arenaBytes: 0, panics: 1 },
      },
    });
  });

  test("is raised as uncaughtException where nobody listens", async () => {
    expect(await scenario(SCENARIOS, ["unheard"])).toEqual({ code: DEAD });
  });
});

test("a panic while an isolate is woken is raised there once, and nothing is lost", async () => {
  const raised = "internal: the native core panicked while it woke this isolate";
  expect(await scenario(SCENARIOS, ["doorbell"])).toEqual({
    thrown: Array(5).fill(raised),
    answers: [0, 1, 2, 3, 4],
    panics: 5,
  });
});

test.skipIf(!existsSync(TEST_CORE))("a fork without exec harms neither process", async () => {
  interface Forked {
    readonly rounds: readonly object[];
    readonly left: object;
  }
  const { rounds, left } = await scenario<Forked>(SCENARIOS, ["fork"]);
  expect(rounds).toEqual(Array.from({ length: 5 }, (_, answer) => ({ exitCode: 0, answer })));
  expect(left).toMatchObject({ nodes: 0, kernels: 0, isolates: 0, doorbells: 0, blocksLive: 0 });
});
