import type { NodeEvents } from "foundation-runtime";
import { Foundation, type FoundationNode, type FoundationStartOptions } from "foundation-runtime";
import { whenPatienceEnds } from "./patience.ts";

/** Longest wait for what is expected at once; only a broken run takes as long. Unit: ms. */
export const SOON_MS = 10_000;

/** An address at which nobody answers. */
const NOWHERE = "127.0.0.1:9";

/** Who polls the sockets of the nodes under test, where a run says so (`vitest.config.ts`). */
function testedIo(): Pick<FoundationStartOptions, "io"> {
  const io = process.env["FOUNDATION_TEST_IO"];
  return io === "isolate" || io === "thread" ? { io } : {};
}

/** The nodes that a test runs in its own process; they leave with it. */
export class LocalNodes {
  readonly #started: FoundationNode[] = [];

  /** Starts a node that {@link leaveAll} ends. */
  async start(options: FoundationStartOptions): Promise<FoundationNode> {
    const node = await Foundation.start({ ...testedIo(), ...options });
    this.#started.push(node);
    return node;
  }

  /** The node that was started last. */
  get last(): FoundationNode {
    const last = this.#started.at(-1);
    if (last === undefined) throw new Error("no node was started");
    return last;
  }

  /** Starts nodes of these names; the first one is everybody's seed. Resolves when all see all. */
  async startCluster(
    names: readonly string[],
    options: FoundationStartOptions = {},
  ): Promise<FoundationNode[]> {
    const nodes: FoundationNode[] = [];
    for (const name of names) {
      const seeds = nodes.slice(0, 1).map((first) => first.address);
      nodes.push(await this.start({ ...options, name, seeds }));
    }
    await allReady(nodes, names.length);
    return nodes;
  }

  /**
   * Starts three nodes, of which the outer ones cannot dial each other: what they advertise nobody
   * answers at. Resolves when all see all.
   */
  async startApart(
    options: FoundationStartOptions,
  ): Promise<{ left: FoundationNode; middle: FoundationNode; right: FoundationNode }> {
    const middle = await this.start({ ...options, name: "middle" });
    const hidden = { ...options, seeds: [middle.address], advertise: NOWHERE };
    const left = await this.start({ ...hidden, name: "left" });
    const right = await this.start({ ...hidden, name: "right" });
    await allReady([left, middle, right], 3);
    return { left, middle, right };
  }

  /** Ends all nodes, those that have left already included. */
  async leaveAll(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((node) => node.leave({ drainMs: 0 })));
  }
}

/** Resolves when each of the nodes sees that many members. */
export async function allReady(nodes: readonly FoundationNode[], members: number): Promise<void> {
  const wait = { minimumMembers: members, timeoutMs: 30_000 };
  await Promise.all(nodes.map((node) => node.awaitReady(wait)));
}

/** Resolves with the next event of that name that matches; rejects after the deadline. */
export async function nextEvent<Name extends keyof NodeEvents>(
  node: FoundationNode,
  name: Name,
  matches: (event: NodeEvents[Name]) => boolean = () => true,
  timeoutMs: number = SOON_MS,
): Promise<NodeEvents[Name]> {
  return new Promise((resolve, reject) => {
    const goOn = whenPatienceEnds(timeoutMs, () => {
      stop();
      reject(new Error(`'${node.name}' saw no such '${name}' within ${timeoutMs} ms`));
    });
    const stop = node.on(name, (event) => {
      if (!matches(event)) return;
      goOn();
      stop();
      resolve(event);
    });
  });
}

/** Resolves when the next event of that name tells of that node. */
export async function nextEventOf<Name extends "up" | "down" | "busy" | "idle" | "leaving">(
  node: FoundationNode,
  name: Name,
  member: string,
  timeoutMs: number = SOON_MS,
): Promise<NodeEvents[Name]> {
  return nextEvent(node, name, (event) => event.name === member, timeoutMs);
}

/** Resolves as `promise` does, or rejects with `what` after the deadline. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  timeoutMs: number = SOON_MS,
): Promise<T> {
  let goOn: (() => void) | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = new Error(`${what}: not within ${timeoutMs} ms`);
    goOn = whenPatienceEnds(timeoutMs, () => reject(late));
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    goOn?.();
  }
}

/** Sends every message in order, waiting for room whenever one is refused. */
export async function sendAll(
  node: FoundationNode,
  to: { readonly node: string; readonly name: string },
  messages: Iterable<unknown>,
  channel: string = "default",
): Promise<void> {
  for (const message of messages) {
    while (!node.send(to, message, { channel })) {
      await node.drained({ to: to.node, channel, timeoutMs: 60_000 });
    }
  }
}
