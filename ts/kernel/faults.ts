import { attempt, FoundationError, native } from "../base/errors.ts";
import { checkDelay, checkKeys, checkKind, checkNames, checkWord } from "../base/option-checks.ts";
import { core } from "./native.ts";

/** What does not pass: what the others say, what they are told, or both. */
export type CutDirection = "both" | "inward" | "outward";

/** A node that this one is cut off from. */
export interface NodeCut {
  /** Name of the node. */
  readonly node: string;
  /** What does not pass. */
  readonly direction: CutDirection;
}

/** How nodes are cut off. */
export interface CutOptions {
  /** What does not pass. Default: `both`. */
  readonly direction?: CutDirection;
  /** Heals by itself after so long. Unit: ms. Default: never. */
  readonly forMs?: number;
}

/**
 * Cuts in the network between this node and others, to see what an application does then: of one
 * process, or of all that are told the same. Connections stand still as behind a cable that was
 * pulled, new ones come to nothing; after the heal what was on its way arrives, unless the link was
 * given up meanwhile. Every strategy of overlays and both values of `io` are cut alike.
 */
export class NodeFaults {
  readonly #id: number;
  readonly #name: string;
  /** Which call of {@link cut} a node was cut off by last: an older one does not heal it. */
  readonly #last = new Map<string, object>();

  /** The faults of a node of this process; `node.faults` has it. */
  constructor(id: number, name: string) {
    this.#id = id;
    this.#name = name;
  }

  /**
   * Cuts this node off from others, also from nodes that come later under these names. One that is
   * cut off already is so as it is said now.
   *
   * @throws FoundationError `invalid_options`, also for more than 4,096 nodes or this one
   */
  cut(nodes: readonly string[], options: CutOptions = {}): void {
    checkKeys("the options of cut", options, ["direction", "forMs"]);
    const { direction = "both", forMs } = options;
    checkWord("direction", direction, ["both", "inward", "outward"]);
    if (forMs !== undefined) checkDelay("forMs", forMs);
    checkNames("nodes", nodes);
    if (nodes.includes(this.#name)) {
      throw new FoundationError("invalid_options", "a node cannot be cut off from itself");
    }
    const [isDeaf, isMute] = [direction !== "outward", direction !== "inward"];
    native(() => core.cutOff(this.#id, [...nodes], isDeaf, isMute));
    const call = {};
    for (const name of nodes) this.#last.set(name, call);
    if (forMs === undefined) return;
    setTimeout(() => {
      const still = nodes.filter((name) => this.#last.get(name) === call);
      attempt(() => this.heal(still)); // the node may be gone
    }, forMs).unref();
  }

  /**
   * Parts a cluster: this node is cut off from all that are in groups without it, and from nobody
   * else. Told to all nodes, or to those of one side, it parts them alike.
   *
   * @throws FoundationError `invalid_options`, also where a node is in two groups
   */
  partition(groups: readonly (readonly string[])[], options: CutOptions = {}): void {
    checkKind("groups", Array.isArray(groups), "a list of lists of names");
    for (const group of groups) checkNames("nodes", group);
    const all = groups.flat();
    if (new Set(all).size < all.length) {
      throw new FoundationError("invalid_options", "a node is in one group of a partition");
    }
    const isApart = groups.some((group) => group.includes(this.#name));
    const apart = isApart ? groups.filter((group) => !group.includes(this.#name)).flat() : [];
    // First: who is cut off before and after hears nothing in between.
    this.cut(apart, options);
    const others = this.cuts().map(({ node }) => node);
    this.heal(others.filter((name) => !apart.includes(name)));
  }

  /** Takes cuts back: of these nodes, or all. */
  heal(nodes?: readonly string[]): void {
    if (nodes !== undefined) checkNames("nodes", nodes);
    native(() => core.healCuts(this.#id, nodes && [...nodes]));
    for (const name of nodes ?? [...this.#last.keys()]) this.#last.delete(name);
  }

  /** Whom this node is cut off from, by name. */
  cuts(): readonly NodeCut[] {
    return native(() => core.nodeCuts(this.#id)).map(({ node, isDeaf, isMute }) => ({
      node,
      direction: isDeaf && isMute ? "both" : isDeaf ? "inward" : "outward",
    }));
  }
}
