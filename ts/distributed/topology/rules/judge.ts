import type { OverlayStrategy } from "../../../kernel/overlay-options.ts";
import type { TopologyPolicyRules } from "../topology-options.ts";
import type { TopologyInputs, TopologyProposal, TopologyRule } from "../topology-types.ts";

/** What the rules are asked with. */
export type SizeRules = Pick<TopologyPolicyRules, "enterAboveMembers" | "leaveBelowMembers"> & {
  readonly servers: readonly string[];
};

interface Proposed {
  readonly proposal: OverlayStrategy;
  readonly rule: TopologyRule;
  readonly reason: string;
}

function kept(inputs: TopologyInputs, rule: TopologyRule, reason: string): Proposed {
  return { proposal: inputs.strategy, rule, reason };
}

/**
 * What an overlay should run. The first rule that fits says it; between the two sizes nothing is
 * proposed, whichever strategy there is.
 */
export function propose(inputs: TopologyInputs, rules: SizeRules): Proposed {
  const { members, servers, strategy } = inputs;
  const { enterAboveMembers, leaveBelowMembers } = rules;
  if (inputs.isSwitching) {
    return kept(inputs, "switch-under-way", "the overlay is being switched");
  }
  if (strategy === "static") {
    return kept(inputs, "static-is-chosen", "its links were chosen by hand");
  }
  if (members > enterAboveMembers && servers > 0) {
    const reason = `${servers} of ${members} members are declared servers`;
    return { proposal: "clientServer", rule: "servers-declared", reason };
  }
  if (members > enterAboveMembers) {
    const reason = `${members} members are more than ${enterAboveMembers}`;
    return { proposal: "hyparview", rule: "above-enter", reason };
  }
  if (members < leaveBelowMembers) {
    const reason = `${members} members are fewer than ${leaveBelowMembers}`;
    return { proposal: "fullMesh", rule: "below-leave", reason };
  }
  if (strategy === "clientServer" && rules.servers.length > 0 && servers === 0) {
    const reason = `none of ${rules.servers.length} declared servers is a member`;
    return { proposal: "hyparview", rule: "servers-gone", reason };
  }
  const band = `${leaveBelowMembers} to ${enterAboveMembers}`;
  return kept(inputs, "within-band", `${members} members are within ${band}`);
}

/**
 * What follows from a proposal. Pure: the same answer to the same question.
 *
 * @param sinceChangeMs Time since the overlay was last changed, or failed to be. Unit: ms.
 * @param self Name of this node.
 */
export function judge(
  inputs: TopologyInputs,
  rules: SizeRules & Pick<TopologyPolicyRules, "dwellMs">,
  sinceChangeMs: number,
  self: string,
): TopologyProposal {
  const proposed = propose(inputs, rules);
  if (proposed.proposal === inputs.strategy) return { ...proposed, verdict: "keep" };
  if (sinceChangeMs < rules.dwellMs) {
    const since = Math.floor(sinceChangeMs);
    const reason = `${proposed.reason}, but the last change was ${since} ms ago`;
    return { ...proposed, verdict: "wait", reason };
  }
  if (inputs.actor !== self) {
    return { ...proposed, verdict: "defer", reason: `${proposed.reason}; '${inputs.actor}' acts` };
  }
  return { ...proposed, verdict: "switch" };
}
