import { setTimeout as pause } from "node:timers/promises";
import type { FoundationOptions, NodeEvents } from "foundation-runtime";
import { type NodeProcess, NodeProcesses, type Talked } from "../integration/node-process.ts";
import { printedRandom } from "../integration/seeded-random.ts";
import { FaultyNetwork } from "../network/network.mjs";

/** Longest wait for what has to come; only a broken run takes as long. Unit: ms. */
const AT_LAST_MS = 60_000;
/** Between two looks at what tells of itself no event. Unit: ms. */
const LOOK_MS = 50;

/** What one node was told of another one, in the order in which it was told. */
export interface Sighting {
  readonly at: number;
  readonly name: keyof NodeEvents;
  readonly of: number;
}

/** Nodes in processes and namespaces of their own, and the network between them. */
export class FaultyCluster {
  readonly network: FaultyNetwork;
  readonly nodes: readonly NodeProcess[];
  /** All that was seen so far. */
  readonly sightings: Sighting[] = [];
  readonly #processes: NodeProcesses;

  private constructor(
    network: FaultyNetwork,
    nodes: readonly NodeProcess[],
    processes: NodeProcesses,
  ) {
    this.network = network;
    this.nodes = nodes;
    this.#processes = processes;
    for (const [at, node] of nodes.entries()) {
      node.hear(({ name, event }) => {
        const of = nodes.findIndex((other) => other.name === (event as { name?: string }).name);
        this.sightings.push({ at, name: name as keyof NodeEvents, of });
      });
    }
  }

  /**
   * Starts so many nodes; resolves when all see all.
   *
   * @throws Error in one line, where namespaces cannot be had
   */
  static async open(count: number, options: FoundationOptions = {}): Promise<FaultyCluster> {
    const { seed } = printedRandom("the network's faults");
    const network = await FaultyNetwork.open({ nodes: count, seed });
    const processes = new NodeProcesses();
    const indexes = Array.from({ length: count }, (_, index) => index);
    const nodes = indexes.map((at) => processes.prepare(`node-${at}`, network.within(at)));
    const cluster = new FaultyCluster(network, nodes, processes);
    try {
      for (const [at, node] of nodes.entries()) {
        // The first one is everybody's seed. Off loopback a node wants a secret.
        const seeds = nodes.slice(0, Math.min(at, 1)).map(({ address }) => address);
        const place = { listen: `${network.addressOf(at)}:0`, seeds };
        await node.start({ ...place, secret: "what all nodes of this test know", ...options });
      }
      await Promise.all(nodes.map(async (node) => node.ready(count, AT_LAST_MS)));
      await cluster.allSeeAll();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** The numbers of all nodes, or of all but these. */
  others(...left: readonly number[]): number[] {
    return this.nodes.map((_, at) => at).filter((at) => !left.includes(at));
  }

  /** One node, by its number. */
  node(at: number): NodeProcess {
    const node = this.nodes[at];
    if (node === undefined) throw new RangeError(`no node ${at}`);
    return node;
  }

  /** What these nodes saw of those, from one place of the list on. */
  seen(
    name: keyof NodeEvents,
    by: readonly number[],
    of: readonly number[],
    since: number = 0,
  ): Sighting[] {
    const matches = (it: Sighting): boolean =>
      it.name === name && by.includes(it.at) && of.includes(it.of) && it.at !== it.of;
    return this.sightings.slice(since).filter(matches);
  }

  /** Resolves once each of these nodes has seen that of each of those, from that place on. */
  async allSee(
    name: keyof NodeEvents,
    by: readonly number[],
    of: readonly number[],
    since: number,
  ): Promise<void> {
    const isSeen = (at: number, other: number): boolean =>
      at === other || this.seen(name, [at], [other], since).length > 0;
    await until(
      () => by.every((at) => of.every((other) => isSeen(at, other))),
      () => `'${name}' of ${of.join()} at ${by.join()}, but ${this.#told(since)}`,
    );
  }

  #told(since: number): string {
    const lines = this.sightings.slice(since).map(({ at, name, of }) => `${at}: ${name} ${of}`);
    return lines.length === 0 ? "nothing was told" : lines.join("; ");
  }

  /** Resolves once every node sees all the others up. */
  async allSeeAll(): Promise<void> {
    const since = this.sightings.length;
    await until(
      async () => {
        const views = await Promise.all(this.nodes.map(async (node) => node.members()));
        return views.every(
          (view) => view.length === this.nodes.length && view.every(({ state }) => state === "up"),
        );
      },
      () => `all see all up, but ${this.#told(since)}`,
    );
  }

  /** Lets everybody talk to everybody else. */
  async talk(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node, at) =>
        node.startTalk(this.others(at).map((other) => this.node(other).name)),
      ),
    );
  }

  /** What was said and heard, by the number of the node. */
  async talked(): Promise<Talked[]> {
    return Promise.all(this.nodes.map(async (node) => node.talked()));
  }

  /** Resolves once each of these has heard so many more messages from each of those. */
  async hearMore(
    by: readonly number[],
    from: readonly number[],
    messages: number = 50,
  ): Promise<void> {
    const heardBy = async (at: number): Promise<Talked["heard"]> =>
      (await this.node(at).talked()).heard;
    const before = await Promise.all(by.map(heardBy));
    await until(
      async () => {
        const now = await Promise.all(by.map(heardBy));
        const more = (index: number, name: string): number =>
          (now[index]?.[name]?.messages ?? 0) - (before[index]?.[name]?.messages ?? 0);
        return by.every((at, index) =>
          from.every((other) => at === other || more(index, this.node(other).name) >= messages),
        );
      },
      () => `${messages} more messages from ${from.join()} at ${by.join()}`,
    );
  }

  /**
   * Ends the talk. Resolves once everything that was accepted and not lost has been heard: the
   * last message of each to each, since no other one comes after it.
   */
  async endTalk(): Promise<Talked[]> {
    await Promise.all(this.nodes.map(async (node) => node.stopTalk()));
    let now = await this.talked();
    const isHeard = (by: number, from: number): boolean => {
      const { messages = 0, lost = 0, misordered = 0 } = now[by]?.heard[this.node(from).name] ?? {};
      const accepted = now[from]?.accepted[this.node(by).name] ?? 0;
      return messages + lost - misordered >= accepted;
    };
    await until(
      async () => {
        now = await this.talked();
        return this.others().every((by) => this.others(by).every((from) => isHeard(by, from)));
      },
      () => `the end of the talk, but ${JSON.stringify(now)}`,
    );
    return now;
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.#processes.killAll();
    await this.network.close();
  }
}

/** Resolves once that is so; rejects with what did not come to be. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: () => string,
): Promise<void> {
  const deadline = performance.now() + AT_LAST_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${AT_LAST_MS} ms: ${what()}`);
    await pause(LOOK_MS);
  }
}

/** What was heard amiss, summed over all: by nature nothing was ever doubled or damaged. */
export function amiss(talked: readonly Talked[]): {
  lost: number;
  misordered: number;
  damaged: number;
} {
  const sum = { lost: 0, misordered: 0, damaged: 0 };
  for (const heard of talked.flatMap((one) => Object.values(one.heard))) {
    sum.lost += heard.lost;
    sum.misordered += heard.misordered;
    sum.damaged += heard.damaged;
  }
  return sum;
}
