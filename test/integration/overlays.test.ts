import type { FoundationNode, FoundationStartOptions } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes, nextEvent, SOON_MS, within } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
afterEach(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

/** Rings of nodes that are many in one process. */
const SMALL = { ringBytes: 16 << 10 } as const;
const DATA = { data: { strategy: "hyparview" } } as const;

async function startOverlay(
  cluster: string,
  count: number,
  options: FoundationStartOptions = { overlays: DATA },
): Promise<FoundationNode[]> {
  const names = Array.from({ length: count }, (_, at) => `n${at}`);
  return nodes.startCluster(names, { ...SMALL, cluster, ...options });
}

/** Resolves with what each node got of a topic, once each got so many. */
function collect(members: readonly FoundationNode[], topic: string, count: number) {
  return members.map(async (node) => {
    const got: unknown[] = [];
    return new Promise<unknown[]>((resolve) => {
      node.handle(topic, (message) => {
        got.push(message);
        if (got.length === count) resolve(got);
      });
    });
  });
}

function size(message: unknown): number {
  return message instanceof Uint8Array ? message.length : 0;
}

/** A member that a node has no link to. Links of its joining go within seconds. */
async function farFrom(
  node: FoundationNode,
  members: readonly FoundationNode[],
): Promise<FoundationNode> {
  const unlinked = () => {
    const near = [node.name, ...linked(node)];
    return members.find(({ name }) => !near.includes(name));
  };
  await expect.poll(unlinked, { timeout: SOON_MS }).toBeDefined();
  return unlinked() as FoundationNode;
}

/** Names that can be reached from the first node over the links of an overlay. */
function reachable(members: readonly FoundationNode[], overlay: string): Set<string> {
  const neighbours = new Map<string, readonly string[]>();
  for (const node of members) {
    const found = node.topologySnapshot().overlays.find(({ name }) => name === overlay);
    neighbours.set(node.name, found?.neighbours.map(({ name }) => name) ?? []);
  }
  const seen = new Set([(members[0] as FoundationNode).name]);
  for (const name of seen) for (const next of neighbours.get(name) ?? []) seen.add(next);
  return seen;
}

describe("a partial view of nodes", () => {
  test("connects 20 with few links each, and all know all", async () => {
    const members = await startOverlay("partial", 20);
    await expect.poll(() => reachable(members, "data").size, { timeout: SOON_MS }).toBe(20);
    for (const node of members) {
      expect(node.members()).toHaveLength(20);
      const [overlay] = node.topologySnapshot().overlays;
      expect(overlay?.neighbours.length).toBeGreaterThan(0);
      expect(overlay?.neighbours.length).toBeLessThanOrEqual(5);
    }
  });

  test("brings broadcasts to all, small ones and large ones, once and nobody else's", async () => {
    const members = await startOverlay("broadcasts", 12);
    const [first, ...others] = members as [FoundationNode, ...FoundationNode[]];
    const large = Buffer.alloc(2 << 20, "a broadcast of some length");
    const got = collect(others, "news", 4);
    for (const message of ["one", { two: 2 }, large, "last"]) first.broadcast("news", message);
    for (const messages of await within(Promise.all(got), "four broadcasts everywhere")) {
      const [bytes, ...small] = messages.sort((a, b) => size(b) - size(a));
      expect(large.equals(bytes as Uint8Array)).toBe(true);
      expect(small).toHaveLength(3);
      expect(small).toEqual(expect.arrayContaining(["one", { two: 2 }, "last"]));
    }
    const [overlay] = first.topologySnapshot().overlays;
    expect(overlay?.counters["delivered"]).toBe(4);
  });

  test("a node that is killed goes down everywhere, and the others are one", async () => {
    const members = await startOverlay("killed", 8);
    const [first] = members as [FoundationNode, ...FoundationNode[]];
    const gone = members[5] as FoundationNode;
    const rest = members.filter((node) => node !== gone);
    const downs = rest.map(async (node) =>
      nextEvent(node, "down", ({ name }) => name === gone.name),
    );
    await gone.leave({ drainMs: 0 });
    await Promise.all(downs);
    await expect.poll(() => reachable(rest, "data").size, { timeout: SOON_MS }).toBe(7);
    expect(first.members()).toHaveLength(7);
  });
});

describe("a message to a member without a link", () => {
  test("dials it; the link goes when it is idle, and nobody is down for that", async () => {
    const overlays = { data: { strategy: "hyparview", activeMax: 2 } } as const;
    const members = await startOverlay("dialled", 8, { overlays, linkIdleMs: 300 });
    const [first] = members as [FoundationNode, ...FoundationNode[]];
    const far = await farFrom(first, members);
    const downs: string[] = [];
    for (const node of [first, far]) node.on("down", ({ name }) => downs.push(name));
    const got: unknown[] = [];
    far.handle("echo", (message) => {
      got.push(message);
      return message;
    });
    const to = { node: far.name, name: "echo" };
    for (let at = 0; at < 100; at++) expect(first.send(to, at)).toBe(true);
    expect(await first.call(to, "asked")).toBe("asked");
    expect(got).toEqual([...Array.from({ length: 100 }, (_, at) => at), "asked"]);
    expect(linked(first)).toContain(far.name);
    await expect.poll(() => linked(first).includes(far.name), { timeout: SOON_MS }).toBe(false);
    expect(first.members()).toHaveLength(8);
    expect(await first.call(to, "again")).toBe("again");
    expect(downs).toEqual([]);
  });

  test("is refused where links are not to be dialled", async () => {
    const overlays = { data: { strategy: "hyparview", activeMax: 2 } } as const;
    const options = { overlays, relay: "never", linkIdleMs: 300 } as const;
    const members = await startOverlay("never", 8, options);
    const [first] = members as [FoundationNode, ...FoundationNode[]];
    const far = await farFrom(first, members);
    expect(() => first.send({ node: far.name, name: "echo" }, 1)).toThrow("no link");
  });
});

function linked(node: FoundationNode): string[] {
  const { members } = node.topologySnapshot();
  return members.filter(({ isLinked }) => isLinked).map(({ name }) => name);
}

describe("overlays", () => {
  test("of one node are two trees over one set of links", async () => {
    const overlays = {
      control: { strategy: "hyparview", channels: ["control"], activeMax: 4 },
      data: { strategy: "hyparview", activeMax: 2, channels: ["default"] },
    } as const;
    const channels = { control: { priority: 0 } };
    const members = await startOverlay("two", 6, { overlays, channels });
    const [first, ...others] = members as [FoundationNode, ...FoundationNode[]];
    for (const name of ["control", "data"]) {
      await expect.poll(() => reachable(members, name).size, { timeout: SOON_MS }).toBe(6);
    }
    const got = collect(others, "news", 3);
    first.broadcast("news", "by channel", { channel: "control" });
    first.broadcast("news", "by name", { overlay: "control" });
    first.broadcast("news", "by default");
    await within(Promise.all(got), "three broadcasts everywhere");
    const counts = first.topologySnapshot().overlays.map(({ counters }) => counters["delivered"]);
    expect(counts).toEqual([2, 1]);
    expect(() => first.broadcast("news", 1, { overlay: "contrl" })).toThrow("'control'");
  });

  test("are refused with what is wrong", async () => {
    const start = async (overlays: unknown): Promise<unknown> =>
      nodes.start({ overlays } as FoundationStartOptions);
    await expect(start({})).rejects.toThrow("1 to 8");
    await expect(start({ a: { strategy: "hyparvew" } })).rejects.toThrow("'hyparview'");
    await expect(start({ a: { strategy: "hyparview", activMax: 3 } })).rejects.toThrow("activeMax");
    await expect(start({ a: { strategy: "hyparview", activeMax: 1 } })).rejects.toThrow("2 to 64");
    await expect(start({ a: { strategy: "clientServer" } })).rejects.toThrow("role");
    await expect(start({ a: { strategy: "hyparview", channels: ["x"] } })).rejects.toThrow("'x'");
    const none = await nodes.start({ name: "none" });
    expect(() => none.topologySnapshot()).toThrow("without overlays");
    expect(() => none.broadcast("news", 1, { overlay: "data" })).toThrow("without overlays");
  });
});

test("nodes of overlays are ready together", async () => {
  const members = await startOverlay("ready", 5);
  await allReady(members, 5);
});

const LINES = { data: { strategy: "static" } } as const;

describe("nodes that cannot dial each other", () => {
  test("are reached over others, both ways, until they are down", async () => {
    const cluster = "relayed";
    const options = { ...SMALL, cluster, overlays: LINES } as const;
    const { left, middle, right } = await nodes.startApart(options);
    const got: unknown[] = [];
    right.handle("echo", (message) => {
      got.push(message);
      return { answer: message };
    });
    const to = { node: "right", name: "echo" };
    for (let at = 0; at < 50; at++) expect(left.send(to, at)).toBe(true);
    expect(await left.call(to, "asked")).toEqual({ answer: "asked" });
    expect(got).toEqual([...Array.from({ length: 50 }, (_, at) => at), "asked"]);
    const large = Buffer.alloc(300 << 10, "relayed as it is");
    const { answer } = (await left.call(to, large)) as { answer: Uint8Array };
    expect(large.equals(answer)).toBe(true);
    await expect(left.call({ node: "right", name: "nobody" }, 1)).rejects.toMatchObject({
      code: "noproc",
    });
    expect(linked(left)).toEqual(["middle"]);
    expect(middle.metrics().overlays?.["routesForwarded"]).toBeGreaterThan(3);
    const down = nextEvent(left, "down", ({ name }) => name === "right");
    await right.leave({ drainMs: 0 });
    await down;
    expect(() => left.send(to, 1)).toThrow("not a member");
  });
});

test("a broadcast passes a node whose event loop is blocked", async () => {
  const cluster = "blocked-middle";
  const middle = await processes.start("middle", { cluster, overlays: LINES });
  const options = { ...SMALL, cluster, overlays: LINES, seeds: [middle.address] };
  const left = await nodes.start({ ...options, name: "left" });
  const right = await nodes.start({ ...options, name: "right" });
  await allReady([left, right], 3);
  const downs: string[] = [];
  for (const node of [left, right]) node.on("down", ({ name }) => downs.push(name));
  const [got] = collect([right], "news", 20);
  const busy = nextEvent(left, "busy", ({ name }) => name === "middle");
  await middle.block(8_000);
  await busy;
  const idle = nextEvent(left, "idle", ({ name }) => name === "middle", 20_000);
  for (let at = 0; at < 20; at++) left.broadcast("news", at);
  const first = await Promise.race([got?.then(() => "broadcasts"), idle.then(() => "its loop")]);
  expect(first).toBe("broadcasts");
  await idle;
  expect(downs).toEqual([]);
}, 60_000);

test("an overlay is switched on all nodes under load, none lost and none doubled", async () => {
  const overlays = { data: { strategy: "hyparview" } } as const;
  const members = await startOverlay("switched", 6, { overlays });
  const [first, ...others] = members as [FoundationNode, ...FoundationNode[]];
  const count = 200;
  const got = collect(others, "news", count);
  const switched = others.map(async (node) => nextEvent(node, "overlaySwitch"));
  const outcome = first.switchOverlay("data", "hyparview", { strategy: "fullMesh" }, { epoch: 0 });
  for (let at = 0; at < count; at++) {
    first.broadcast("news", at);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await outcome).toMatchObject({ overlay: "data", outcome: "switched" });
  for (const event of await Promise.all(switched)) expect(event.outcome).toBe("switched");
  for (const messages of await within(Promise.all(got), "all broadcasts", 30_000)) {
    expect(new Set(messages).size).toBe(count);
  }
  const [overlay] = first.topologySnapshot().overlays;
  expect(overlay).toMatchObject({ strategy: "fullMesh" });
  const late = first.switchOverlay("data", "hyparview", { strategy: "static" }, { epoch: 0 });
  expect(await late).toMatchObject({ outcome: "refused" });
  const options = { strategy: "hyparview", activeMax: 9 } as const;
  await expect(
    first.switchOverlay("data", "fullMesh", options, { epoch: overlay?.epoch ?? 0 }),
  ).rejects.toThrow("activeMax");
}, 60_000);

test("a switch that the core refuses is over: nothing fails once the node leaves", async () => {
  const overlays = { data: { strategy: "hyparview" } } as const;
  const [node] = (await startOverlay("refused", 1, { overlays })) as [FoundationNode];
  await expect(
    node.switchOverlay("data", "mesh" as never, { strategy: "static" } as never, { epoch: 0 }),
  ).rejects.toMatchObject({ code: "invalid_options" });
  // An unhandled rejection would fail this file.
  await node.leave();
});
