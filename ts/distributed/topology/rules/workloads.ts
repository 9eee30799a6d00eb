import { checkWord } from "../../../base/option-checks.ts";
import type { TopologyPolicyRules } from "../topology-options.ts";
import type { Workload } from "../topology-types.ts";

/** What a workload changes about the rules. */
interface WorkloadSizes {
  readonly enterAboveMembers: number;
  readonly leaveBelowMembers: number;
  readonly because: string;
}

// Partisan's documents have the full mesh fit for about 60 nodes at least: where each pair talks,
// a link of its own is the shortest way until then. A third fewer for the way back, as in the
// defaults of the policy.
const DIRECT = { enterAboveMembers: 60, leaveBelowMembers: 40 };

const WORKLOADS: Readonly<Record<Exclude<Workload, "clientServer">, WorkloadSizes>> = {
  lowLatency: { ...DIRECT, because: "a link of its own is the shortest way between two nodes" },
  highThroughput: { ...DIRECT, because: "what goes straight is copied by nobody on the way" },
  broadcast: {
    // A view of five and as much again: below it the tree has nearly all links of the mesh.
    enterAboveMembers: 10,
    leaveBelowMembers: 7,
    because: "a tree over few links carries each broadcast once to everybody",
  },
};

const SERVED = "clients have no need of each other's links";

/**
 * The sizes that hold for a workload. `clientServer` has those of the policy, where servers are
 * declared.
 *
 * @throws FoundationError `invalid_options` for a workload that nobody knows
 */
export function workloadSizes(workload: Workload, policy: TopologyPolicyRules): WorkloadSizes {
  checkWord("workload", workload, [...Object.keys(WORKLOADS), "clientServer"] as Workload[]);
  if (workload !== "clientServer") return WORKLOADS[workload];
  const { leaveBelowMembers, enterAboveMembers, servers } = policy;
  const because = servers.length > 0 ? SERVED : "no node is declared a server: by size alone";
  return { leaveBelowMembers, enterAboveMembers, because };
}
