import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Providers } from "foundation-runtime";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { describeProvider, ProviderRun, type ProviderScene } from "./provider-contract.ts";

const folder = await mkdtemp(join(tmpdir(), "foundation-file-"));
afterAll(async () => rm(folder, { recursive: true }));

/** Writes beside and renames, as whoever cares for readers does. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

function sceneOf(path: string, textOf: (addresses: readonly string[]) => string): ProviderScene {
  return {
    isComplete: true,
    // Only the watcher can notice in time.
    provider: () => Providers.file({ path, pollMs: 3_600_000, settleMs: 20 }),
    publish: async (addresses) => replace(path, textOf(addresses)),
    close: async () => {},
  };
}

function faultsOf(path: string, poison: string) {
  return {
    failing: {
      begin: async () => rename(path, `${path}.away`),
      end: async () => rename(`${path}.away`, path),
    },
    poison: async () => replace(path, poison),
  };
}

const listed = join(folder, "nodes.json");
const POISON = ["10.1.0.1:7000", "10.1.0.2", "\0\u{1F480}", { address: 7 }, null, [[]], "a:b:c"];
describeProvider(
  "file of JSON",
  sceneOf(listed, (addresses) => JSON.stringify(addresses)),
  faultsOf(listed, JSON.stringify(POISON)),
);

const lines = join(folder, "nodes");
describeProvider(
  "file of lines",
  sceneOf(lines, (addresses) => `# nodes\n${addresses.join("  # one\r\n")}`),
  faultsOf(lines, "10.1.0.1:7000\n10.1.0.2\n@10.1.0.3\nnobody.example:7000\n\xff\xfe\n"),
);

describe("a watched file", () => {
  const runs: ProviderRun[] = [];
  afterEach(async () => {
    await Promise.all(runs.splice(0).map(async (run) => run.abort()));
  });

  function follow(path: string, pollMs = 3_600_000, settleMs = 50): ProviderRun {
    const run = new ProviderRun(Providers.file({ path, pollMs, settleMs }));
    runs.push(run);
    return run;
  }

  test("one that is written in steps is read when it is whole", async () => {
    const path = join(folder, "steps.json");
    await writeFile(path, `["10.1.0.1"]`);
    const run = follow(path, 3_600_000, 2_000);
    await run.until((all) => all.length === 1);
    // Emptied, half there, whole: neither an error nor an empty answer comes of it.
    await writeFile(path, "");
    await writeFile(path, `["10.1.0.2", "10.`);
    await writeFile(path, `["10.1.0.2", "10.1.0.3"]`);
    expect(await run.until((all) => all.length !== 1)).toEqual(["10.1.0.2:7000", "10.1.0.3:7000"]);
    expect(run.sets.every(({ candidates }) => candidates.length > 0)).toBe(true);
  });

  test("one that is removed and written anew is followed on", async () => {
    const path = join(folder, "anew");
    await writeFile(path, "10.1.0.1");
    const run = follow(path);
    await run.until((all) => all.length === 1);
    await rm(path);
    await writeFile(path, "10.1.0.2");
    await run.until((all) => all[0] === "10.1.0.2:7000");
    expect(run.failure).toBeUndefined();
  });

  test("a ConfigMap is followed through the links that are swapped under it", async () => {
    const mounted = join(folder, "mounted");
    for (const version of ["1", "2"]) {
      await mkdir(join(mounted, `..v${version}`), { recursive: true });
      await writeFile(join(mounted, `..v${version}`, "nodes"), `10.1.0.${version}`);
    }
    await symlink("..v1", join(mounted, "..data"));
    await symlink("..data/nodes", join(mounted, "nodes"));
    const run = follow(join(mounted, "nodes"));
    await run.until((all) => all[0] === "10.1.0.1:7000");
    await symlink("..v2", join(mounted, "..data_tmp"));
    await rename(join(mounted, "..data_tmp"), join(mounted, "..data"));
    await run.until((all) => all[0] === "10.1.0.2:7000");
  });

  test("a change that nobody tells of is seen by the next look", async () => {
    const hidden = join(folder, "hidden");
    await mkdir(hidden);
    await writeFile(join(hidden, "nodes"), "10.1.0.1");
    await symlink("hidden/nodes", join(folder, "pointer"));
    const run = follow(join(folder, "pointer"), 20);
    await run.until((all) => all[0] === "10.1.0.1:7000");
    await writeFile(join(hidden, "nodes"), "10.1.0.2");
    await run.until((all) => all[0] === "10.1.0.2:7000");
  });

  test("what is no list, no JSON, too long or no file is an error, and says which", async () => {
    const path = join(folder, "bad.json");
    const texts = [
      [`{"nodes": []}`, /is no list/],
      [`["10.1.0.1", "10.`, /is no JSON/],
      [" ".repeat(8 * 1_048_576 + 1), /more than 8388608 bytes/],
    ] as const;
    for (const [text, reason] of texts) {
      await writeFile(path, text);
      const run = follow(path);
      await run.ended();
      expect(run.failure).toMatchObject({ code: "discovery_failed" });
      expect(String(run.failure)).toMatch(reason);
    }
    const run = follow(folder);
    await run.ended();
    expect(String(run.failure)).toMatch(/no regular file/);
  });

  test("10,000 addresses are one set, and more than 16,384 are no complete one", async () => {
    const path = join(folder, "many");
    const address = (_: unknown, i: number): string => `10.2.${i >> 8}.${i & 255}`;
    await writeFile(path, Array.from({ length: 10_000 }, address).join("\n"));
    const run = follow(path);
    await run.until((all) => all.length === 10_000);
    expect(run.sets[0]?.isComplete).toBe(true);
    await writeFile(path, Array.from({ length: 20_000 }, address).join("\n"));
    await run.until((all) => all.length === 16_384);
    expect(run.sets.at(-1)?.isComplete).toBe(false);
    expect(run.notes.get("overLimit")).toBeGreaterThan(0);
  });
});
