import { Providers } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import type {
  CandidateSet,
  DiscoveryProvider,
} from "../../../ts/distributed/discovery/provider.ts";
import { allReady, LocalNodes, nextEvent, nextEventOf } from "../local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const NOBODY = "127.0.0.1:9";

/** A source whose list the test changes. */
class List implements DiscoveryProvider {
  readonly kind = "list";
  readonly label = "list";
  #addresses: readonly string[];
  #isDown = false;
  #wake: () => void = () => {};

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  /** Says this from now on. */
  says(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#wake();
  }

  /** Cannot be asked from now on. */
  breaks(): void {
    this.#isDown = true;
    this.#wake();
  }

  async *candidates({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<CandidateSet> {
    signal.addEventListener("abort", () => this.#wake());
    while (!signal.aborted) {
      if (this.#isDown) throw new Error("the list is gone");
      const candidates = this.#addresses.map((address) => ({ address }));
      yield { candidates, isComplete: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

describe("real nodes", () => {
  test("find each other by their sources, and stay when these break", async () => {
    const first = await nodes.start({ name: "first", cluster: "found" });
    const lists = ["second", "third"].map(() => new List([first.address, NOBODY]));
    const others: Awaited<ReturnType<LocalNodes["start"]>>[] = [];
    for (const [at, list] of lists.entries()) {
      const name = ["second", "third"][at] ?? "";
      others.push(await nodes.start({ name, cluster: "found", discovery: list }));
    }
    await allReady([first, ...others], 3);
    const downs: string[] = [];
    for (const node of [first, ...others]) node.on("down", ({ name }) => downs.push(name));
    const [second] = others;
    if (second === undefined) throw new Error("there are three nodes");
    const failed = new Promise((resolve) => {
      second.distributed.discovery.on("sourceFailed", resolve);
    });
    for (const list of lists) list.breaks();
    expect(await failed).toMatchObject({ source: "list", error: { message: "the list is gone" } });
    expect(second.distributed.discovery.status()).toMatchObject({ state: "degraded" });
    expect(second.members()).toHaveLength(3);
    expect(downs).toEqual([]);
  });

  test("hang up on whom the source lists no more, where that was asked for", async () => {
    const first = await nodes.start({ name: "first", cluster: "pruned" });
    const second = await nodes.start({ name: "second", cluster: "pruned", seeds: [first.address] });
    const list = new List([first.address, second.address]);
    const discovery = { sources: [list], prune: "immediate" } as const;
    const third = await nodes.start({ name: "third", cluster: "pruned", discovery });
    await allReady([first, second, third], 3);
    const down = nextEventOf(third, "down", "second");
    const told = nextEventOf(second, "down", "third");
    list.says([first.address]);
    await down;
    expect(await told).toMatchObject({ reason: "left" });
    expect(first.members()).toHaveLength(3);
    // Neither dials the other by itself; a source that lists it again brings it back.
    list.says([first.address, second.address]);
    await nextEventOf(third, "up", "second");
  });

  test("are dialled no more when they are forgotten", async () => {
    const node = await nodes.start({ name: "alone", cluster: "forgotten" });
    const failure = nextEvent(node, "dialFailed");
    const joining = node.join([NOBODY], { timeoutMs: 500 });
    await failure;
    node.forget([NOBODY]);
    await expect(joining).rejects.toMatchObject({ code: "join_failed" });
    const before = Object.values(node.metrics().dialsFailed).reduce((sum, one) => sum + one, 0);
    const other = await nodes.start({ name: "other", cluster: "forgotten" });
    await node.join([other.address]);
    await nextEvent(other, "channelUp", () => true, 100).catch(() => {});
    const after = Object.values(node.metrics().dialsFailed).reduce((sum, one) => sum + one, 0);
    expect(after).toBe(before);
  });
});

describe("ready", () => {
  test("means that a member was there before, where that is asked for", async () => {
    const first = await nodes.start({ name: "first", cluster: "existing", lifeStart: 1 });
    const wait = { joinedExisting: true, timeoutMs: 300 };
    await expect(first.awaitReady(wait)).rejects.toMatchObject({
      code: "not_ready",
      message: expect.stringContaining("no member was there before this node"),
    });
    const discovery = Providers.static({ addresses: [first.address] });
    const second = await nodes.start({
      name: "second",
      cluster: "existing",
      lifeStart: 2,
      discovery,
    });
    await second.awaitReady({ joinedExisting: true });
    await first.awaitReady({ minimumMembers: 2 });
    await expect(first.awaitReady(wait)).rejects.toMatchObject({ code: "not_ready" });
  });

  test("means that channels are open, where some are named", async () => {
    const channels = { events: {} };
    const first = await nodes.start({ name: "first", cluster: "channels", channels });
    const seeds = [first.address];
    await nodes.start({ name: "plain", cluster: "channels", seeds });
    const options = { minimumMembers: 2, channels: ["events"], timeoutMs: 500 };
    await first.awaitReady({ minimumMembers: 2 });
    await expect(first.awaitReady(options)).rejects.toMatchObject({
      code: "not_ready",
      message: expect.stringContaining("1 of 2 members were reached by channel 'events'"),
    });
    await expect(first.awaitReady({ channels: ["evnets"] })).rejects.toMatchObject({
      code: "unknown_channel",
    });
    const ready = first.awaitReady({ ...options, timeoutMs: 10_000 });
    await nodes.start({ name: "third", cluster: "channels", seeds, channels });
    await ready;
  });
});

test("options of discovery are checked before the node is up", async () => {
  const provider = Providers.static({ addresses: [] });
  const wrong: [object, RegExp][] = [
    [{ sources: [provider], prun: "never" }, /did you mean 'prune'/],
    [{ sources: [provider], prune: "later" }, /prune of discovery must be one of/],
    [{ sources: [{ kind: "statik" }] }, /did you mean 'static'/],
    [{ sources: [{ kind: "static", options: { addresses: 7 } }] }, /list of addresses/],
    [{ sources: [{ provider, conect: () => true }] }, /did you mean 'connect'/],
    [{ sources: [{ provider, connect: true }] }, /must be a function/],
    [{ sources: Array(17).fill(provider) }, /at most 16/],
    [{ sources: [7] }, /must be an object/],
    [{ sources: [provider], dialsMax: 65 }, /at most 64/],
    [{ sources: [provider], graceMs: -1 }, /milliseconds/],
  ];
  for (const [discovery, text] of wrong) {
    await expect(nodes.start({ discovery: discovery as never })).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringMatching(text),
    });
  }
});
