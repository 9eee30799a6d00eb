import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { DistributionPlan } from "./distribution-plan.ts";
import type { EcosystemDistribution, PlaceCandidate } from "./distribution-types.ts";
import { PlacementRule } from "./placement.ts";
import { type EcosystemCluster, Places } from "./places.ts";
import type { WorkPool } from "./work-pool.ts";

/** Ends of a start that say something of the node and nothing of the worker. */
const UNREACHABLE: readonly string[] = ["noconnection", "unknown_factory", "timeout", "noproc"];

/** Starts the workers of an ecosystem at the nodes of its cluster. */
export class DistantWorkers {
  readonly #plan: DistributionPlan;
  readonly #cluster: EcosystemCluster;
  readonly #pool: WorkPool;
  readonly #nowMs: () => number;
  readonly #places: Places;
  readonly #rule: PlacementRule;
  #moved = 0;

  constructor(
    plan: DistributionPlan,
    cluster: EcosystemCluster,
    pool: WorkPool,
    nowMs: () => number,
  ) {
    this.#plan = plan;
    this.#cluster = cluster;
    this.#pool = pool;
    this.#nowMs = nowMs;
    this.#places = new Places(cluster, plan.factory, plan.nodes, nowMs);
    this.#rule = new PlacementRule(plan.placement);
  }

  /** Follows members that come and go; the answer stops that. */
  follow(onKnown: () => void): () => void {
    return this.#cluster.onChange(() => {
      this.#places.outdate();
      void this.look().then(onKnown);
    });
  }

  /** Asks the nodes, whoever waits for one included. */
  async look(): Promise<void> {
    await this.#places.refresh();
  }

  /**
   * Starts a worker, linked to its supervisor, at the node that the rule names, or another one
   * where that cannot be reached. `wanted`: a node that comes first.
   *
   * @throws FoundationError `no_place`, `placement_failed`, `ecosystem_closing`; `init_failed` and
   *   what else the worker's start ends with
   */
  async start(link: Pid, wanted?: string): Promise<Pid> {
    const { factory, args, isIsolated, waitMs } = this.#plan;
    const untilMs = this.#nowMs() + waitMs;
    const tried = new Set<string>();
    let cause: unknown;
    for (;;) {
      await this.#places.refresh();
      const open = this.#candidates().filter(({ node }) => !tried.has(node));
      if (open.length === 0) {
        tried.clear();
        await this.#places.askedAgain(Math.max(0, untilMs - this.#nowMs()), cause);
        continue;
      }
      const isThere = tried.size === 0 && open.some(({ node }) => node === wanted);
      const node = isThere ? (wanted as string) : this.#rule.choose(open);
      try {
        return await this.#cluster.startAt(node, { factory, args, link, isIsolated });
      } catch (thrown) {
        if (!isUnreachable(thrown)) throw thrown;
        cause = thrown;
        tried.add(node);
        this.#places.forget(node);
      }
    }
  }

  #candidates(): PlaceCandidate[] {
    const homes = this.#pool.members.map(({ pid, isDraining }) => {
      return isDraining ? undefined : pid?.home.node;
    });
    return this.#places.candidates((node) => homes.filter((home) => home === node).length);
  }

  /** A worker that should live elsewhere, and where. */
  move(): { readonly id: string; readonly to: string } | undefined {
    const move = this.#rule.move(this.#candidates());
    if (move === undefined) return undefined;
    const there = this.#pool.members.filter(({ pid, isDraining }) => {
      return !isDraining && pid?.home.node === move.from;
    });
    const least = there.toSorted((a, b) => a.inFlight.size - b.inFlight.size)[0];
    return least === undefined ? undefined : { id: least.id, to: move.to };
  }

  /** One was. */
  hasMoved(): void {
    this.#moved++;
  }

  /** Where they are. */
  report(): EcosystemDistribution {
    return { placement: this.#rule.name, nodes: this.#candidates(), moved: this.#moved };
  }

  /** Nobody waits for a node any more. */
  close(): void {
    this.#places.close();
  }
}

function isUnreachable(thrown: unknown): boolean {
  return thrown instanceof FoundationError && UNREACHABLE.includes(thrown.code);
}
