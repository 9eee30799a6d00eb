import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type DiscoveringNode, type DiscoveryProvider, Providers } from "foundation-runtime";
import { afterAll, afterEach, expect, test } from "vitest";
import { describeProvider, ProviderRun, SELF } from "./provider-contract.ts";

const base = await mkdtemp(join(tmpdir(), "foundation-local-"));
afterAll(async () => rm(base, { recursive: true }));

/** A node beside the one that looks, by a provider of its own. */
class Neighbour {
  readonly run: ProviderRun;
  readonly #provider: DiscoveryProvider;

  constructor(directory: string, self: Partial<DiscoveringNode>) {
    this.#provider = Providers.local({ directory });
    this.run = new ProviderRun(this.#provider, { self: { ...SELF, ...self } });
  }

  async leave(): Promise<void> {
    await this.run.abort();
    await this.#provider.close?.();
  }
}

const neighbours = new Map<string, Neighbour>();

async function publish(directory: string, addresses: readonly string[]): Promise<void> {
  for (const [address, neighbour] of neighbours) {
    if (addresses.includes(address)) continue;
    neighbours.delete(address);
    await neighbour.leave();
  }
  for (const address of addresses) {
    if (neighbours.has(address)) continue;
    const neighbour = new Neighbour(directory, { name: `at ${address}`, address });
    neighbours.set(address, neighbour);
    await neighbour.run.until((all) => all.includes(address));
  }
}

async function filesOf(directory: string): Promise<{ path: string; name: string }[]> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const all = files.filter((file) => file.isFile() && file.name.endsWith(".json"));
  const found = await Promise.all(
    all.map(async ({ parentPath, name: fileName }) => {
      const path = join(parentPath, fileName);
      const name = /"name":"([^"]+)"/.exec(await readFile(path, "utf8"))?.[1];
      return name === undefined ? [] : [{ path, name }];
    }),
  );
  return found.flat();
}

/** The number of a process that has ended, and that its parent was told of. */
async function endedPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid as number;
}

const contract = join(base, "contract");
/** The other one that looks is among those that are found; the engine knows its own address. */
const others = (): DiscoveryProvider => {
  const local = Providers.local({ directory: contract, pollMs: 50 });
  return {
    ...local,
    async *candidates(context) {
      for await (const set of local.candidates(context)) {
        const candidates = set.candidates.filter(({ address }) => address !== SELF.address);
        yield { ...set, candidates };
      }
    },
  };
};

describeProvider(
  "local directory",
  {
    isComplete: true,
    provider: others,
    publish: async (addresses) => publish(contract, addresses),
    close: async () => publish(contract, []),
  },
  {
    failing: {
      begin: async () => chmod(contract, 0o777),
      end: async () => {
        await chmod(contract, 0o700);
        await publish(contract, []);
        await publish(contract, ["10.1.0.1:7000", "10.1.0.2:7000"]);
      },
    },
    announced: async () => (await filesOf(contract)).map(({ name }) => name),
    poison: async () => {
      const folder = join(contract, (await readdir(contract))[0] as string);
      const pid = process.pid;
      await writeFile(join(folder, "README"), "odd");
      await writeFile(join(folder, "\u{1F480}\n.json"), "{}");
      await writeFile(join(folder, `${pid}-0123456789abcdef.json`), "[]");
      await writeFile(join(folder, `${pid}-1123456789abcdef.json`), Buffer.alloc(100_000, 32));
      await symlink("/dev/zero", join(folder, `${pid}-2123456789abcdef.json`));
    },
  },
);

const left: Neighbour[] = [];
afterEach(async () => {
  await Promise.all(left.splice(0).map(async (neighbour) => neighbour.leave()));
});

function look(directory: string, self: Partial<DiscoveringNode> = {}): Neighbour {
  const neighbour = new Neighbour(directory, self);
  left.push(neighbour);
  return neighbour;
}

test("nodes of other clusters are not told of, and files are the user's alone", async () => {
  const directory = join(base, "clusters");
  const one = { name: "one", address: "127.0.0.1:7001" };
  await look(directory, one).run.until((all) => all.length === 1);
  const two = look(directory, { name: "two", address: "127.0.0.1:7002", cluster: "o/th\0er" });
  expect(await two.run.until((all) => all.length > 0)).toEqual(["127.0.0.1:7002"]);
  const three = look(directory, { name: "three", address: "127.0.0.1:7003" });
  await three.run.until((all) => all.length === 2);
  expect(three.run.sets[0]?.candidates).toContainEqual({ address: one.address, name: "one" });
  const folders = await readdir(directory, { withFileTypes: true });
  expect(folders.map((folder) => folder.isDirectory())).toEqual([true, true]);
});

test("files of processes that are gone are swept, those of living ones stay", async () => {
  const directory = join(base, "stale");
  const alive = look(directory, { name: "alive", address: "127.0.0.1:7001" });
  await alive.run.until((all) => all.length === 1);
  const [file] = await filesOf(directory);
  const path = file?.path as string;
  const text = await readFile(path, "utf8");
  const pid = await endedPid();
  const dead = path.replace(/\d+-([0-9a-f]+\.json)$/, `${pid}-$1`);
  const facts = JSON.parse(text) as Record<string, unknown>;
  const stale = JSON.stringify({ ...facts, pid, address: "127.0.0.1:7009" });
  await writeFile(dead, stale);
  // A draft of one that died as it wrote, and one whose number another process has by now.
  await writeFile(dead.replace(/\/(\d+-)/, "/.$1"), stale.slice(0, 20));
  const reborn = path.replace(/[0-9a-f]{16}\.json$/, "0123456789abcdef.json");
  const before = { ...facts, start: "another boot:1", address: "127.0.0.1:7008" };
  await writeFile(reborn, JSON.stringify(before));
  const second = look(directory, { name: "second", address: "127.0.0.1:7002" });
  const found = await second.run.until((all) => all.length >= 2);
  expect(found).toEqual(["127.0.0.1:7001", "127.0.0.1:7002"]);
  expect((await filesOf(directory)).map(({ name }) => name).sort()).toEqual(["alive", "second"]);
});

test("a node whose process counts in another space is neither told of nor swept", async () => {
  const directory = join(base, "containers");
  const first = look(directory, { name: "first", address: "127.0.0.1:7001" });
  await first.run.until((all) => all.length === 1);
  const path = (await filesOf(directory))[0]?.path as string;
  const facts = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const other = path.replace(/[0-9a-f]{16}\.json$/, "0123456789abcdef.json");
  await writeFile(other, JSON.stringify({ ...facts, space: "pid:[1]", address: "1.2.3.4:5" }));
  const second = look(directory, { name: "second", address: "127.0.0.1:7002" });
  expect(await second.run.until((all) => all.length > 1)).not.toContain("1.2.3.4:5");
  expect(second.run.notes.get("otherContainer")).toBeGreaterThan(0);
  expect(await readdir(join(other, ".."))).toContain(basename(other));
});

test("one whose file somebody removed announces itself anew", async () => {
  const directory = join(base, "tidied");
  const node = look(directory, { name: "node", address: "127.0.0.1:7001" });
  await node.run.until((all) => all.length === 1);
  const path = (await filesOf(directory))[0]?.path as string;
  await rm(path);
  // The next look writes it; a neighbour that comes brings that look about.
  const second = look(directory, { name: "second", address: "127.0.0.1:7002" });
  await second.run.until((all) => all.length === 2);
});

test("folders that are not the user's alone are refused", async () => {
  const refused = async (directory: string, reason: RegExp): Promise<void> => {
    const { run } = look(directory);
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
    expect(String(run.failure)).toMatch(reason);
  };
  const open = join(base, "open");
  await mkdir(open);
  await chmod(open, 0o722);
  await refused(open, /others can write in/);
  await symlink(base, join(base, "link"));
  await refused(join(base, "link"), /is no folder/);
  await refused(join(base, "no", "such", "parent"), /ENOENT/);
});

test.runIf(process.getuid?.() === 0)("a folder of another user is refused", async () => {
  const foreign = join(base, "foreign");
  await mkdir(foreign, { mode: 0o700 });
  await chown(foreign, 12_345, 12_345);
  const { run } = look(foreign);
  await run.ended();
  expect(String(run.failure)).toMatch(/belongs to the user 12345/);
});
