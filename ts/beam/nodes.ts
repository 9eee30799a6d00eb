import { ClusterNode } from "../kernel/node.ts";
import {
  type AttachOptions,
  findStarted,
  type OpenedNode,
  startNode,
} from "../kernel/opened-node.ts";
import type { FoundationOptions } from "../kernel/options.ts";
import { Beam } from "./beam.ts";
import { type HeavyPoolOptions, type HeavyPoolPlan, planHeavyPool } from "./heavy-pool.ts";

/** What every isolate kept ready loads: the part of the package that has processes. */
const LIBRARY = new URL("./index.js", import.meta.url).href;

/** A node of the cluster with processes, as one isolate of its process holds it. */
export class BeamNode extends ClusterNode {
  /** Processes, supervisors and what else the BEAM gives its programs. */
  readonly beam: Beam;

  /** Attaches the calling isolate; use `Nodes.start` or `Nodes.attach`. */
  constructor(opened: OpenedNode, heavyPool?: HeavyPoolPlan) {
    super(opened);
    const { node: id, drainBudgetMs } = opened.node;
    this.beam = new Beam(this, { id, drainBudgetMs, isRoot: opened.isStarter, heavyPool });
  }

  override detach(): void {
    this.beam.close();
    super.detach();
  }
}

/** How a node without services is started. */
export interface BeamNodeOptions extends FoundationOptions {
  /** Isolates that are kept ready for heavy processes. Default: none. */
  readonly heavyPool?: HeavyPoolOptions;
}

/**
 * Where nodes without services come from: what `Foundation` does, and nothing that only services
 * need is loaded or started. Either may attach to a node that the other has started.
 */
export const Nodes = Object.freeze({
  /**
   * Starts a node on the main thread, as `Foundation.start`.
   *
   * @throws FoundationError as `Foundation.start`, apart from what is about the configuration
   */
  async start({ heavyPool, ...place }: BeamNodeOptions = {}): Promise<BeamNode> {
    const plan = planHeavyPool(heavyPool, LIBRARY);
    return new BeamNode(await startNode(place), plan);
  },

  /**
   * Joins this isolate to a node of the process, as `Foundation.attach`.
   *
   * @throws FoundationError `unknown_node` where no such node appears in time
   */
  async attach(options: AttachOptions = {}): Promise<BeamNode> {
    return new BeamNode(await findStarted(options));
  },
});
