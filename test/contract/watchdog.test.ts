import { describe, expect, test } from "vitest";
import { capabilities } from "../../dist/ts/index.js";
import { runProgram, scenario } from "./child-program.ts";

const SCENARIOS = "./watchdog-scenarios.mjs";
/** Growth that is taken for noise: less than what a single hoard would leave. Unit: bytes. */
const GROWTH_BYTES_MAX = 24 << 20;
/**
 * Of the C library's arenas, one for each of many threads, some keep a hoard that was freed: two
 * more or fewer do so by chance.
 */
const ONE_ARENA = { MALLOC_ARENA_MAX: "1" };

interface Figures {
  readonly threads: readonly string[];
  readonly files: number;
  readonly isolates: number;
  readonly residentBytes: number;
}

describe.skipIf(!capabilities().interrupts)("the watchdog", () => {
  test("leaves nothing of 200 guarded isolates behind, nor of itself", async () => {
    interface Found {
      readonly kinds: object;
      readonly at40: Figures;
      readonly after: Figures;
    }
    const nodeFlags = ["--expose-gc"];
    const options = { nodeFlags, environment: ONE_ARENA, timeoutMs: 280_000 };
    const { kinds, at40, after } = await scenario<Found>(SCENARIOS, ["comeAndGo", "200"], options);
    expect(kinds).toEqual({ offHeap: 100, killed: 100 });
    expect(at40.threads).not.toContain("foundation-dog");
    const { residentBytes, ...counts } = after;
    expect({ ...counts, residentBytes: 0 }).toEqual({ ...at40, residentBytes: 0 });
    expect(residentBytes).toBeLessThan(at40.residentBytes + GROWTH_BYTES_MAX);
  }, 300_000);

  test("ends a stalled isolate while the main thread is blocked for 10 s", async () => {
    const found = await scenario(SCENARIOS, ["blockedMain", "10000"]);
    expect(found).toEqual({ isGone: true, kind: "stalled", isNamed: true });
  });

  test("ends one in a native call as that returns, without its stack", async () => {
    const found = await scenario(SCENARIOS, ["nativeCall"]);
    expect(found).toEqual({ kind: "stalled", stack: "", cameBack: false });
  });

  test("and an isolate that ends by itself at the same moment agree on a reason", async () => {
    const overs = Array.from({ length: 20 }, (_, index) => index - 2);
    interface Found {
      readonly kinds: readonly string[];
      readonly left: readonly string[];
    }
    const found = await scenario<Found>(SCENARIOS, ["endsMeanwhile", JSON.stringify(overs)]);
    expect(found.left).toEqual([]);
    expect(found.kinds.filter((kind) => kind === "exitCode" || kind === "stalled")).toHaveLength(
      20,
    );
  });

  test.each([1, 2, 3])("does not outlive its process (%i)", async () => {
    const { exitCode, signal, stderr } = await runProgram(SCENARIOS, ["exits"]);
    expect({ exitCode, signal, stderr }).toEqual({ exitCode: 7, signal: null, stderr: "" });
  });

  test("that panics says so where it was opened, and the next node has another", async () => {
    expect(await scenario(SCENARIOS, ["panics"])).toEqual({
      thrown: ["internal: the watchdog of 'home' panicked: no limits are kept any more"],
      guard: "internal",
      answer: 1,
      other: "stalled",
      panics: 1,
    });
  });
});
