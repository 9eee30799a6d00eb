import type { Processes } from "../beam/processes.ts";
import { Discovery } from "./discovery/discovery.ts";
import type { DiscoveryNode } from "./discovery/discovery-node.ts";
import { Topology } from "./topology/topology.ts";
import { settleTopology, TopologyChild } from "./topology/topology-child.ts";
import type { TopologyNode } from "./topology/topology-node.ts";
import type { TopologyOptions } from "./topology/topology-options.ts";

/** What a node is part of, as one isolate of it sees that. */
export class DistributedNode {
  /** The overlays: what they are, what they should be, and how they become it. */
  readonly topology: Topology;
  /** The search for other nodes, in the isolate that started this one. */
  readonly discovery: Discovery;

  /** Use `node.distributed`. */
  constructor(
    node: TopologyNode & DiscoveryNode,
    processes: Processes,
    topology?: TopologyOptions,
  ) {
    this.topology = new Topology(node, topology);
    this.discovery = new Discovery(node);
    const { topology: overlays, discovery } = this;
    const ground = { topology: overlays, discovery, node, processes, made: new Set<string>() };
    settleTopology(processes.home, ground);
  }

  /** Ends what runs by time: the isolate has let go of its node. */
  close(): void {
    this.topology.close();
    void this.discovery.stop();
  }
}

/** What is distributed, as children of a supervisor. */
export const Distributed = Object.freeze({
  /** Looks after the overlays of its node; its argument is a {@link TopologyChildOptions}. */
  Topology: TopologyChild,
});
