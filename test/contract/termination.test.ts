import { describe, expect, test } from "vitest";
import { scenario } from "./child-program.ts";

const SCENARIOS = "./termination-scenarios.mjs";
const WITH_GC = { nodeFlags: ["--expose-gc"], timeoutMs: 170_000 };

/** What a process holds at one moment; counts, but for the last. */
interface Figures {
  readonly nodes: number;
  readonly isolates: number;
  readonly kernels: number;
  readonly slabsLive: number;
  readonly files: number;
  readonly threads: number;
  /** Without the arena, whose pages go back to the system once they lie idle. */
  readonly residentBytes: number;
}

interface UnderTraffic {
  readonly before: Figures;
  readonly at50: Figures;
  readonly after: Figures;
  readonly left: Figures;
  readonly isQuiet: boolean;
  readonly isolates: number;
  readonly heard: { readonly home: number; readonly peer: number };
}

const CYCLES = 200;
/** Growth between the 50th and the last cycle that is taken for noise of the allocators. */
const GROWTH_BYTES_MAX = 96 << 20;

/** The counts of a moment, without the memory, which is never the same twice. */
function counts({ residentBytes: _, ...rest }: Figures): Omit<Figures, "residentBytes"> {
  return rest;
}

describe("a worker that dies", () => {
  test(`by terminate() under traffic leaves nothing behind, ${CYCLES} times`, async () => {
    const args = ["underTraffic", String(CYCLES)];
    const found = await scenario<UnderTraffic>(SCENARIOS, args, WITH_GC);
    const mebibytes = (figures: Figures): number => Math.round(figures.residentBytes / (1 << 20));
    process.stdout.write(
      `${CYCLES} cycles: ${found.heard.home + found.heard.peer} messages, ` +
        `RSS without the arena ${mebibytes(found.before)} before, ` +
        `${mebibytes(found.at50)} after 50, ` +
        `${mebibytes(found.after)} MiB at the end\n`,
    );
    expect(found.isolates).toBe(1);
    // The first worker of a process opens descriptors that stay: the 50th has to leave as many.
    expect(counts(found.after)).toEqual({ ...counts(found.before), files: found.at50.files });
    expect(found.after.residentBytes).toBeLessThan(found.at50.residentBytes + GROWTH_BYTES_MAX);
    expect(found.heard.home).toBeGreaterThan(CYCLES);
    expect(found.heard.peer).toBeGreaterThan(CYCLES);
    expect(found.left).toMatchObject({ nodes: 0, isolates: 0, kernels: 0, slabsLive: 0 });
  }, 180_000);

  test("gives back the credit of what it had been sent", async () => {
    const found = await scenario<object>(SCENARIOS, ["creditOfTheDead", "30"], WITH_GC);
    expect(found).toEqual({ answers: Array.from({ length: 30 }, (_, cycle) => cycle) });
  });

  test("and is sent to before the sender heard of it counts as nobody", async () => {
    const found = await scenario<object>(SCENARIOS, ["justDead"], WITH_GC);
    expect(found).toEqual({ isAccepted: true, counted: 1, answer: "noproc" });
  });

  test("in an endless loop is terminated, and the node goes on", async () => {
    expect(await scenario(SCENARIOS, ["blocked"], WITH_GC)).toEqual({
      whileBlocked: 2,
      exitCode: 1,
      isGone: true,
      answer: "alive",
    });
  });

  test("without detach() frees its place and its name", async () => {
    expect(await scenario(SCENARIOS, ["endByThemselves"], WITH_GC)).toEqual({
      codes: [0, 7, 1], // its loop ran dry; process.exit(7); an exception
      answer: "alive",
    });
  });

  test("and lets go of a thread's last node keeps no other one from starting there", async () => {
    expect(await scenario(SCENARIOS, ["startWhileLettingGo", "40"], WITH_GC)).toMatchObject({
      started: 120,
      left: { nodes: 0, isolates: 0, kernels: 0, slabsLive: 0 },
    });
  });

  test("while its node leaves is let go of once", async () => {
    expect(await scenario(SCENARIOS, ["duringLeave", "20"], WITH_GC)).toMatchObject({
      rounds: 20,
      left: { nodes: 0, isolates: 0, kernels: 0, slabsLive: 0 },
    });
  });
});
