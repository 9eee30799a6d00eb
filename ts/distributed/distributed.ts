import type { Processes } from "../beam/processes.ts";
import { Topology } from "./topology/topology.ts";
import { settleTopology, TopologyChild } from "./topology/topology-child.ts";
import type { TopologyNode } from "./topology/topology-node.ts";
import type { TopologyOptions } from "./topology/topology-options.ts";

/** What a node is part of, as one isolate of it sees that. */
export class DistributedNode {
  /** The overlays: what they are, what they should be, and how they become it. */
  readonly topology: Topology;

  /** Use `node.distributed`. */
  constructor(node: TopologyNode, processes: Processes, topology?: TopologyOptions) {
    this.topology = new Topology(node, topology);
    const ground = { topology: this.topology, node, processes, made: new Set<string>() };
    settleTopology(processes.home, ground);
  }

  /** Ends what runs by time: the isolate has let go of its node. */
  close(): void {
    this.topology.close();
  }
}

/** What is distributed, as children of a supervisor. */
export const Distributed = Object.freeze({
  /** Looks after the overlays of its node; its argument is a {@link TopologyChildOptions}. */
  Topology: TopologyChild,
});
