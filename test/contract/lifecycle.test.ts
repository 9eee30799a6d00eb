import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { scenario } from "./child-program.ts";

const SCENARIOS = "./lifecycle-scenarios.mjs";
const WITH_GC = { nodeFlags: ["--expose-gc"] };
const SHIM = fileURLToPath(
  new URL(`../../dist/bindings/shim.abi${process.versions.modules}.node`, import.meta.url),
);

describe("a worker", () => {
  test("may not start a node, whether or not the main thread did", async () => {
    expect(await scenario(SCENARIOS, ["startInAWorker"])).toEqual({
      early: "not_root_isolate",
      late: "not_root_isolate",
    });
  });

  test("attaches by name or to the last node, before as after the node was started", async () => {
    expect(await scenario(SCENARIOS, ["attach"])).toEqual({
      early: { name: "second", hasAddress: true },
      late: { name: "first", hasAddress: true },
      lateUnnamed: { name: "second", hasAddress: true },
      earlyUnnamed: true,
      main: "first",
      isolates: 3,
    });
  });

  test("that asks for a node that is not there is told so in time", async () => {
    expect(await scenario(SCENARIOS, ["attachToNobody"])).toEqual({
      inMain: "unknown_node",
      wrongNameInMain: "unknown_node",
      wrongName: "unknown_node",
      afterLeave: "unknown_node",
    });
  });
});

describe("a node that left", () => {
  test("answers every call with node_left, in each of its isolates", async () => {
    const calls = [
      "send",
      "call",
      "broadcast",
      "drained",
      "handle",
      "awaitReady",
      "join",
      "metrics",
    ];
    const left = Object.fromEntries(calls.map((call) => [call, "node_left"]));
    expect(await scenario(SCENARIOS, ["callsAfterLeave"])).toEqual({
      inMain: left,
      inWorker: left,
      isSamePromise: true,
    });
  });

  test("closes the rings between its isolates quietly, 10 times", async () => {
    expect(await scenario(SCENARIOS, ["leaveWithNeighbours"])).toEqual({
      thrown: [],
      answers: Array.from({ length: 10 }, () => ["answer", 0]).flat(),
    });
  });

  test("holds nothing any more: 50 pairs of nodes in a row", async () => {
    const found = await scenario<{ held: { first: object; last: object } }>(
      SCENARIOS,
      ["manyNodes"],
      WITH_GC,
    );
    expect(found).toMatchObject({
      rounds: 50,
      counts: { nodes: 0, isolates: 0, kernels: 0, slabsLive: 0 },
    });
    expect(found.held.last).toEqual(found.held.first);
  });
});

// Its fault was a write into freed memory, which only the build with AddressSanitizer shows.
test("an isolate may be let go while a wake-up of it is under way, 50 times", async () => {
  expect(await scenario(SCENARIOS, ["ringAndLetGo"])).toEqual({ doorbells: 0, isolates: 0 });
});

describe("what an installation can do", () => {
  test("is told by capabilities()", async () => {
    expect(await scenario(SCENARIOS, ["capabilities"])).toEqual({
      sharedAllocation: existsSync(SHIM),
      interrupts: existsSync(SHIM),
      busyDetection: true,
      isolateIo: process.platform === "linux",
    });
  });

  // The shim is optional: without a C++ compiler the build leaves it out and says so.
  test.skipIf(!existsSync(SHIM))(
    "includes memory of the core shared by two isolates and freed with its last buffer",
    async () => {
      const found = await scenario(SCENARIOS, ["sharedMemoryCollected"], WITH_GC);
      expect(found).toMatchObject({
        seen: 42,
        other: 7,
        whileHeld: { allocated: 2, live: 2, liveBytes: 4160 },
        after: { live: 0, liveBytes: 0 },
        gone: "shared_block_gone",
      });
    },
  );
});
