import { Providers } from "foundation-runtime";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { type EntryOptions, readEntries } from "../../ts/distributed/discovery/entries.ts";
import type { CandidateSet } from "../../ts/distributed/discovery/provider.ts";
import { ProviderRun, SELF } from "../integration/discovery/provider-contract.ts";

function read(
  entries: readonly unknown[],
  options: EntryOptions = {},
): { readonly set: CandidateSet; readonly notes: string[] } {
  const notes: string[] = [];
  const set = readEntries(entries, options, { self: SELF, note: (reason) => notes.push(reason) });
  return { set, notes };
}

describe("entries of a list", () => {
  test("text and objects, with and without port and name", () => {
    const { set, notes } = read([
      "10.0.0.1",
      "10.0.0.2:8000",
      "fd00::3",
      "[fd00::4]",
      "[fd00::5]:8000",
      "app@10.0.0.6",
      "app@[fd00::7]:8000",
      { address: "10.0.0.8", port: 8000, name: "eight", isDraining: true },
      { address: "10.0.0.9:8000", port: 9000 },
    ]);
    expect(notes).toEqual([]);
    expect(set).toEqual({
      isComplete: true,
      candidates: [
        { address: "10.0.0.1:7000" },
        { address: "10.0.0.2:8000" },
        { address: "[fd00::3]:7000" },
        { address: "[fd00::4]:7000" },
        { address: "[fd00::5]:8000" },
        { address: "10.0.0.6:7000", name: "app@10.0.0.6" },
        { address: "[fd00::7]:8000", name: "app@fd00::7" },
        { address: "10.0.0.8:8000", name: "eight", isDraining: true },
        { address: "10.0.0.9:8000" },
      ],
    });
  });

  test("a port and a basename of the options", () => {
    const { set } = read(["10.0.0.1", "own@10.0.0.2:8000"], { port: 9000, basename: "app" });
    expect(set.candidates).toEqual([
      { address: "10.0.0.1:9000", name: "app@10.0.0.1" },
      { address: "10.0.0.2:8000", name: "own@10.0.0.2" },
    ]);
  });

  test("what no node can be reached by is left out and counted", () => {
    const bad = ["", "@10.0.0.1", "fe80::1%eth0", "10.0.0.1:0", "10.0.0.1:70000", "10.0.0", "a.b"];
    const odd = ["10.0.0.1\0", "[10.0.0.1", "10.0.0.1]:7", "x".repeat(600), 7, null, {}, [], "::g"];
    const ports = [
      { address: "10.0.0.1", port: "80" },
      { address: "10.0.0.1", port: 1.5 },
    ];
    const { set, notes } = read([...bad, ...odd, ...ports]);
    expect(set.candidates).toEqual([]);
    expect(notes).toEqual(Array(18).fill("badAddress"));
    const names = ["a\nb@10.0.0.1", `${"n".repeat(250)}@10.0.0.1`, { address: "::1", name: "" }];
    expect(read([...names, "\ud800@10.0.0.1"]).notes).toEqual(Array(4).fill("badName"));
  });
});

describe("options of providers with entries", () => {
  const INVALID = expect.objectContaining({ code: "invalid_options" });

  test("what is wrong in them is refused at once", () => {
    const variable = "SEEDS";
    for (const wrong of [{ port: 0 }, { port: 70_000 }, { basename: "a@b" }, { pollMs: 0 }]) {
      expect(() => Providers.environment({ variable, ...wrong })).toThrow(INVALID);
      expect(() => Providers.file({ path: "nodes", ...wrong })).toThrow(INVALID);
    }
    expect(() => Providers.environment({ variable: "a=b" })).toThrow(INVALID);
    expect(() => Providers.environment({ variabel: "A" } as never)).toThrow(/'variable'/);
    expect(() => Providers.file({ path: "" })).toThrow(INVALID);
    expect(() => Providers.file({ path: "a", format: "yaml" as never })).toThrow(/lines, json/);
    expect(() => Providers.file({ path: "a", settleMs: 2 ** 31 })).toThrow(INVALID);
  });
});

test("the environment is looked at again and again, and no timer stays", async () => {
  const clock = new ManualClock();
  const variable = "FOUNDATION_UNIT_SEEDS";
  process.env[variable] = "10.0.0.1";
  const run = new ProviderRun(Providers.environment({ variable }), { clock });
  await run.until((all) => all.length === 1);
  process.env[variable] = "";
  await clock.advanceAsync(5_000);
  expect(run.addresses()).toEqual([]);
  expect(run.sets.at(-1)).toEqual({ candidates: [], isComplete: true });
  expect(clock.pending).toBe(1);
  await run.abort();
  expect(clock.pending).toBe(0);
  delete process.env[variable];
});
