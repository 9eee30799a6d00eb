import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { NodeLoad } from "../node-load.ts";
import type { PlaceCandidate } from "./distribution-types.ts";
import { within } from "./waiting.ts";

/** Answers that are younger are not asked for again. Unit: ms. */
const FRESH_MS = 100;
/** How often nodes that may have begun to offer the factory are asked. Unit: ms. */
export const PLACES_LOOK_MS = 1_000;

/** The nodes of the cluster, as an ecosystem needs them. */
export interface EcosystemCluster {
  /** Names of the members that can be asked, this node included. */
  readonly members: () => readonly string[];
  /** Calls when one has come or gone, until what it returns is called. */
  readonly onChange: (changed: () => void) => () => void;
  /** What a node that offers the factory uses; undefined where nothing can be started there. */
  readonly loadOf: (node: string, factory: string) => Promise<NodeLoad | undefined>;
  /** Starts a worker there, linked to a process of this isolate. */
  readonly startAt: (node: string, order: WorkerOrder) => Promise<Pid>;
}

/** A worker to be started at a node. */
export interface WorkerOrder {
  readonly factory: string;
  readonly args: readonly unknown[];
  readonly link: Pid;
  readonly isIsolated: boolean;
}

/** Knows at which nodes the workers of an ecosystem can be started. */
export class Places {
  readonly #cluster: EcosystemCluster;
  readonly #factory: string;
  readonly #allowed: readonly string[] | undefined;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, NodeLoad>();
  readonly #waiters = new Set<() => void>();
  #asking: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(
    cluster: EcosystemCluster,
    factory: string,
    allowed: readonly string[] | undefined,
    nowMs: () => number,
  ) {
    this.#cluster = cluster;
    this.#factory = factory;
    this.#allowed = allowed;
    this.#nowMs = nowMs;
  }

  /** The nodes that could be asked last, by name; `workersAt` says how many live there. */
  candidates(workersAt: (node: string) => number): PlaceCandidate[] {
    const nodes = [...this.#known].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return nodes.map(([node, load]) => ({ node, workers: workersAt(node), ...load }));
  }

  /** Asks the nodes, unless that has just been done. */
  async refresh(): Promise<void> {
    if (this.#asking === undefined) {
      if (this.#nowMs() - this.#askedAtMs < FRESH_MS) return;
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const members = this.#cluster.members().filter((node) => {
      return this.#allowed === undefined || this.#allowed.includes(node);
    });
    const loads = await Promise.all(
      members.map(async (node) => this.#cluster.loadOf(node, this.#factory)),
    );
    this.#askedAtMs = this.#nowMs();
    this.#known.clear();
    for (const [index, node] of members.entries()) {
      const load = loads[index];
      if (load !== undefined) this.#known.set(node, load);
    }
    for (const waiter of [...this.#waiters]) waiter();
  }

  /** A node could not start one: it is none until it answers again. */
  forget(node: string): void {
    this.#known.delete(node);
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Members have come or gone: what is known of them is old. */
  outdate(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Resolves when the nodes have been asked once more.
   *
   * @throws FoundationError `no_place` after `waitMs`, `ecosystem_closing`
   */
  async askedAgain(waitMs: number, cause: unknown): Promise<void> {
    let done = (): void => {};
    const asked = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#waiters.add(done);
    const isAsked = await within(waitMs, asked);
    this.#waiters.delete(done);
    if (this.#isClosed) throw new FoundationError("ecosystem_closing", "the ecosystem ends");
    if (isAsked) return;
    const text = `no node offers '${this.#factory}', or could start a worker`;
    throw new FoundationError("no_place", text, { cause });
  }

  /** Nobody waits for a node any more. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of [...this.#waiters]) waiter();
  }
}
