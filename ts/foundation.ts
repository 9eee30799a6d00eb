import { Beam } from "./beam/beam.ts";
import { ClusterNode } from "./kernel/node.ts";
import {
  type AttachOptions,
  findStarted,
  type OpenedNode,
  startNode,
} from "./kernel/opened-node.ts";
import type { FoundationOptions } from "./kernel/options.ts";

/**
 * A node of the cluster, as one isolate of its process holds it. Every isolate that attached has
 * the same calls with rings of its own.
 */
export class FoundationNode extends ClusterNode {
  /** Processes, supervisors and what else the BEAM gives its programs. */
  readonly beam: Beam;

  /** Attaches the calling isolate; use `Foundation.start` or `Foundation.attach`. */
  constructor(opened: OpenedNode) {
    super(opened);
    const { node: id, drainBudgetMs } = opened.node;
    this.beam = new Beam(this, { id, drainBudgetMs, isRoot: opened.isStarter });
  }

  override detach(): void {
    this.beam.close();
    super.detach();
  }
}

/** Where nodes come from. */
export const Foundation = Object.freeze({
  /**
   * Starts a node on the main thread: it listens, dials its seeds and keeps its place in the
   * cluster on a thread of its own, whatever this event loop does.
   *
   * @throws FoundationError `invalid_options`, `insecure_bind`, `insecure_dial`,
   *   `listen_failed`, `not_root_isolate`, `arena_exhausted`, `io_unavailable`
   */
  async start(options: FoundationOptions = {}): Promise<FoundationNode> {
    return new FoundationNode(await startNode(options));
  },

  /**
   * Joins this isolate, a worker or the main thread, to a node that the main thread of the process
   * started.
   *
   * @throws FoundationError `unknown_node` where no such node appears in time
   */
  async attach(options: AttachOptions = {}): Promise<FoundationNode> {
    return new FoundationNode(await findStarted(options));
  },
});
