import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Providers } from "foundation-runtime";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { describeProvider, ProviderRun } from "./provider-contract.ts";

const folder = await mkdtemp(join(tmpdir(), "foundation-hosts-file-"));
afterAll(async () => rm(folder, { recursive: true }));

async function replace(path: string, hosts: readonly string[]): Promise<void> {
  await writeFile(`${path}.new`, hosts.map((host) => `'${host}'.\n`).join(""));
  await rename(`${path}.new`, path);
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(":"));
const listed = join(folder, "listed");

describeProvider(
  "hosts file",
  {
    isComplete: true,
    // Only the watcher can notice in time.
    provider: () => Providers.hostsFile({ path: listed, pollMs: 3_600_000, settleMs: 20 }),
    publish: async (addresses) => replace(listed, addresses.map(hostOf)),
    close: async () => {},
  },
  {
    failing: {
      begin: async () => rename(listed, `${listed}.away`),
      end: async () => rename(`${listed}.away`, listed),
    },
    poison: async () =>
      replace(listed, ["10.1.0.1", "10.1.0.2", "nobody.invalid", "\u{1F480}", "a b", "-"]),
  },
);

describe("a hosts file", () => {
  const runs: ProviderRun[] = [];
  afterEach(async () => {
    await Promise.all(runs.splice(0).map(async (run) => run.abort()));
  });

  function follow(options: Parameters<typeof Providers.hostsFile>[0]): ProviderRun {
    const run = new ProviderRun(Providers.hostsFile({ settleMs: 20, ...options }));
    runs.push(run);
    return run;
  }

  test("names are those that the system knows, at the port that is told", async () => {
    const path = join(folder, "named");
    await replace(path, ["localhost"]);
    const run = follow({ path, port: 8000, basename: "app" });
    await run.until((all) => all.includes("127.0.0.1:8000"));
    const { candidates } = run.sets[0] as (typeof run.sets)[number];
    expect(candidates).toContainEqual({ address: "127.0.0.1:8000", name: "app@127.0.0.1" });
  });

  test("a name that nobody knows is counted, and nobody is gone from that answer", async () => {
    const path = join(folder, "unknown");
    await replace(path, ["nobody.invalid", "10.1.0.1"]);
    const run = follow({ path });
    await run.until((all) => all[0] === "10.1.0.1:7000");
    expect(run.sets[0]?.isComplete).toBe(false);
    expect(run.notes.get("unresolved")).toBe(1);
  });

  test("where no name is known, no file is there, or it is another thing: an error", async () => {
    const path = join(folder, "bad");
    const failureOf = async (): Promise<unknown> => {
      const run = follow({ path });
      await run.ended();
      return run.failure;
    };
    const failed = (text: RegExp): unknown =>
      expect.objectContaining({
        code: "discovery_failed",
        message: expect.stringMatching(text) as string,
      });
    expect(await failureOf()).toEqual(failed(/there is no hosts file: .*bad/));
    await replace(path, ["nobody.invalid"]);
    expect(await failureOf()).toEqual(failed(/knows no host of the hosts file/));
    await writeFile(path, "'a'.\n[b].\n");
    expect(await failureOf()).toEqual(failed(/line 2 of the hosts file/));
  });

  test("without a path it is the one of the working directory", async () => {
    const before = process.cwd();
    await replace(join(folder, ".hosts.erlang"), ["10.1.0.9"]);
    process.chdir(folder);
    try {
      const run = follow({});
      await run.until((all) => all[0] === "10.1.0.9:7000");
    } finally {
      process.chdir(before);
    }
  });

  test("options that make no sense are refused", () => {
    const refused = { code: "invalid_options" };
    for (const options of [{ path: "" }, { path: 7 }, { port: 0 }, { pollMs: 1 }, { file: "a" }]) {
      expect(() => Providers.hostsFile(options as never)).toThrow(expect.objectContaining(refused));
    }
  });
});
