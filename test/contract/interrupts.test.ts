import { describe, expect, test } from "vitest";
import { capabilities } from "../../dist/ts/index.js";
import { scenario } from "./child-program.ts";

const SCENARIOS = "./interrupts-scenarios.mjs";

describe.skipIf(!capabilities().interrupts)("an isolate that is interrupted", () => {
  test("tells stack and memory while it is stalled, and memory at any time", async () => {
    expect(await scenario(SCENARIOS, ["stalledWorker"])).toEqual({
      innermost: "spinUntilReleased",
      ...{ isNamed: true, hasHeap: true, external: true, idleHeap: true, ownHeap: true },
      ...{ idle: "not_stalled", own: "not_stalled" },
      ...{ nobody: "unknown_isolate", nobodyHeap: "unknown_isolate" },
      ...{ root: "invalid_options", nobodyEnds: "unknown_isolate" },
    });
  });

  test("in a native call does not answer", async () => {
    expect(await scenario(SCENARIOS, ["waitingWorker"])).toEqual({ code: "timeout" });
  });

  test("may be the main thread, whose stall a worker hears of", async () => {
    expect(await scenario(SCENARIOS, ["stalledMain"])).toEqual({ self: true, isNamed: true });
  });

  test("in an endless loop can be ended, and its callers hear of it", async () => {
    expect(await scenario(SCENARIOS, ["terminated"])).toEqual({
      exitCode: 0,
      call: "noproc",
      after: "unknown_isolate",
    });
  });
});
