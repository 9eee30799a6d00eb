import { FoundationError } from "../../base/errors.ts";
import type { PlaceCandidate, Placement } from "./distribution-types.ts";

/** Chooses among nodes, which it is given in one order. */
export class PlacementRule {
  readonly #placement: Placement;
  /** The last one that had its turn. */
  #last = "";

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  /** The rule's name. */
  get name(): Exclude<Placement, (...args: never) => unknown> | "function" {
    return typeof this.#placement === "function" ? "function" : this.#placement;
  }

  /**
   * The node for the next worker, of at least one.
   *
   * @throws FoundationError `placement_failed` where a function threw, or named none of them
   */
  choose(candidates: readonly PlaceCandidate[]): string {
    switch (this.#placement) {
      case "spread":
        return least(candidates, ({ workers }) => workers);
      case "leastLoaded":
        return least(candidates, ({ workers, busyCores, cores }) => (workers + busyCores) / cores);
      case "roundRobin": {
        const next = candidates.find(({ node }) => node > this.#last) ?? candidates[0];
        this.#last = next?.node ?? "";
        return this.#last;
      }
      default:
        return this.#ask(candidates);
    }
  }

  #ask(candidates: readonly PlaceCandidate[]): string {
    let node: unknown;
    let cause: unknown;
    try {
      node = (this.#placement as (of: readonly PlaceCandidate[]) => string)(candidates);
    } catch (thrown) {
      cause = thrown;
    }
    if (candidates.some((candidate) => candidate.node === node)) return node as string;
    const text = "the placement function named none of the nodes that it was given";
    throw new FoundationError("placement_failed", text, { context: { node }, cause });
  }

  /**
   * A worker that should move because a node has come or gone: from where to where. A function and
   * `leastLoaded` move one only to a node that has none: a difference may be what they want.
   */
  move(candidates: readonly PlaceCandidate[]): { from: string; to: string } | undefined {
    if (candidates.length < 2 || this.name === "function") return undefined;
    const to = least(candidates, ({ workers }) => workers);
    const from = least(candidates, ({ workers }) => -workers);
    const count = (node: string): number => {
      return candidates.find((candidate) => candidate.node === node)?.workers ?? 0;
    };
    const isEven = count(from) - count(to) < 2;
    if (isEven) return undefined;
    if (this.#placement === "leastLoaded") {
      if (count(to) > 0 || this.choose(candidates) !== to) return undefined;
    }
    return { from, to };
  }
}

function least(
  candidates: readonly PlaceCandidate[],
  of: (candidate: PlaceCandidate) => number,
): string {
  const best = candidates.reduce((best, next) => (of(next) < of(best) ? next : best));
  return best.node;
}
