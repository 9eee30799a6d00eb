import type { FoundationNode, FoundationStartOptions } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes, sendAll } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

/** Finds silent peers sooner than a test gets impatient. */
const QUICK = { heartbeatMs: 100, silentAfterMs: 1_000 };

const namesOf = (node: FoundationNode): readonly string[] =>
  node
    .members()
    .map(({ name }) => name)
    .sort();

async function sees(all: readonly FoundationNode[], ...parts: readonly string[]): Promise<void> {
  const seen = () => all.map((node) => namesOf(node).join(""));
  await expect.poll(seen, { timeout: 20_000 }).toEqual(parts);
}

const WAYS: readonly (readonly [string, FoundationStartOptions])[] = [
  ["polled by the kernel thread", { io: "thread" }],
  ["polled by the isolate", { io: "isolate" }],
  ["sealed", { secret: "a secret of these tests", encrypt: true }],
];

describe.each(WAYS)("a cut of links that are %s", (_way, options) => {
  test("holds what is sent, in order, until it heals", async () => {
    const patient = { ...options, silentAfterMs: 60_000 };
    const [one, other] = (await nodes.startCluster(["a", "b"], patient)) as [
      FoundationNode,
      FoundationNode,
    ];
    const got: unknown[] = [];
    other.handle("all", (message) => void got.push(message));
    one.faults.cut(["b"], { direction: "outward" });
    const sent = Array.from({ length: 200 }, (_, at) => at);
    await sendAll(one, { node: "b", name: "all" }, sent);
    // The other direction goes on: an answer from there proves that nothing passed this one.
    one.handle("probe", () => got.length);
    await expect(other.call({ node: "a", name: "probe" }, 0, { timeoutMs: 500 })).rejects.toThrow(
      /timeout|within/,
    );
    expect(got).toEqual([]);
    one.faults.heal(["b"]);
    await expect.poll(() => got.length).toBe(sent.length);
    expect(got).toEqual(sent);
    expect(one.faults.cuts()).toEqual([]);
  });

  test("parts the cluster, and all are one after the heal", async () => {
    const all = await nodes.startCluster(["a", "b", "c"], { ...options, ...QUICK });
    const groups = [["a"], ["b", "c"]];
    all[0]?.faults.partition(groups);
    expect(all[0]?.faults.cuts()).toEqual([
      { node: "b", direction: "both" },
      { node: "c", direction: "both" },
    ]);
    expect(all[0]?.metrics().cuts).toBe(2);
    await sees(all, "a", "bc", "bc");
    all[0]?.faults.heal();
    await sees(all, "abc", "abc", "abc");
  });

  test.each(["inward", "outward"] as const)("%s alone: both find out", async (direction) => {
    const all = await nodes.startCluster(["a", "b", "c"], { ...options, ...QUICK });
    all[0]?.faults.cut(["b"], { direction });
    await sees(all, "ac", "bc", "abc");
    all[0]?.faults.heal();
    await sees(all, "abc", "abc", "abc");
  });
});

describe.each(["hyparview", "fullMesh", "clientServer"] as const)("an overlay: %s", (strategy) => {
  test("is in two parts, and one again", async () => {
    const role = strategy === "clientServer" ? { role: "server" as const } : {};
    const options = { ...QUICK, overlays: { data: { strategy, ...role } } };
    const all = await nodes.startCluster(["a", "b", "c", "d"], options);
    for (const node of all) {
      node.faults.partition([
        ["a", "b"],
        ["c", "d"],
      ]);
    }
    await sees(all, "ab", "ab", "cd", "cd");
    for (const node of all) node.faults.heal();
    await sees(all, "abcd", "abcd", "abcd", "abcd");
  });
});

describe("a cut", () => {
  test("costs bounded memory, and who waits for room hears of the end", async () => {
    const bounds = { silentAfterMs: 3_000, highWaterBytes: 64 << 10, lowWaterBytes: 16 << 10 };
    const [one, other] = (await nodes.startCluster(["a", "b"], bounds)) as [
      FoundationNode,
      FoundationNode,
    ];
    other.handle("sink", () => {});
    one.faults.cut(["b"]);
    const message = new Uint8Array(32 << 10);
    let sent = 0;
    while (one.send({ node: "b", name: "sink" }, message)) {
      sent += 1;
      expect(sent).toBeLessThan(1_000);
      if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const drained = one.drained({ to: "b", timeoutMs: 20_000 });
    await expect(drained).rejects.toMatchObject({ code: "noconnection" });
  });

  test("is of nodes that come later, too, and heals by itself", async () => {
    const first = await nodes.start({ name: "a", ...QUICK });
    first.faults.cut(["b"]);
    const second = await nodes.start({ name: "b", seeds: [first.address], ...QUICK });
    const refused = () => first.metrics().handshakesFailed["partitioned"] ?? 0;
    await expect.poll(refused, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(namesOf(first)).toEqual(["a"]);
    first.faults.cut(["b"], { forMs: 10 });
    await allReady([first, second], 2);
    expect(first.faults.cuts()).toEqual([]);
  });

  test("is not healed by the end of an earlier one", async () => {
    const node = await nodes.start({ name: "a" });
    node.faults.cut(["b", "c"], { forMs: 10 });
    node.faults.cut(["b"], { direction: "inward" });
    await expect.poll(() => node.faults.cuts()).toEqual([{ node: "b", direction: "inward" }]);
  });

  test("replaces the partition before, and needs this node in a group", async () => {
    const node = await nodes.start({ name: "a" });
    node.faults.partition([["a", "b"], ["c"]]);
    node.faults.partition([["a", "c"], ["b"]], { direction: "outward" });
    expect(node.faults.cuts()).toEqual([{ node: "b", direction: "outward" }]);
    node.faults.partition([["b"], ["c"]]);
    expect(node.faults.cuts()).toEqual([]);
  });

  test("is refused where it makes no sense", async () => {
    const { faults } = await nodes.start({ name: "a" });
    const wrong = (value: unknown): never => value as never;
    const calls = [
      () => faults.cut(["a"]),
      () => faults.cut(wrong("b")),
      () => faults.cut(["b"], { direction: wrong("up") }),
      () => faults.cut(["b"], { forMs: -1 }),
      () => faults.cut(["b"], wrong({ ms: 5 })),
      () => faults.cut(Array.from({ length: 4_097 }, (_, at) => `n${at}`)),
      () => faults.partition(wrong(["a", "b"])),
      () => faults.partition([["a", "b"], ["b"]]),
      () => faults.heal(wrong([5])),
    ];
    for (const call of calls) {
      expect(call).toThrow(expect.objectContaining({ code: "invalid_options" }));
    }
    expect(faults.cuts()).toEqual([]);
  });
});
