import type { WaitOptions } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";

/** When overlays are switched without being asked. Defaults: {@link TOPOLOGY_POLICY_DEFAULTS}. */
export interface TopologyPolicyOptions {
  /** Whether they are at all. */
  readonly auto?: boolean;
  /** How often it decides. Unit: ms, at least 10. */
  readonly pollMs?: number;
  /** Least time from one change of an overlay, by whomever, to the next one of the policy. */
  readonly dwellMs?: number;
  /** With more members than this an overlay becomes `hyparview`. */
  readonly enterAboveMembers?: number;
  /** With fewer members than this it becomes `fullMesh`. Below `enterAboveMembers`. */
  readonly leaveBelowMembers?: number;
  /** Names of nodes that are servers, at most 256; only then is `clientServer` ever proposed. */
  readonly servers?: readonly string[];
  /** Overlays that it looks after, at most eight. Default: all but `static` ones. */
  readonly overlays?: readonly string[];
  /** Longest wait for a switch of its own. Unit: ms. */
  readonly switchTimeoutMs?: number;
}

/** What the policy is unless its options say otherwise. */
export const TOPOLOGY_POLICY_DEFAULTS = Object.freeze({
  auto: false, // links move under load only where somebody has asked for it
  pollMs: 30_000, // a change of size lasts; half the dwell time
  dwellMs: 60_000, // six shuffle periods: the new overlay has come to rest before it is judged
  // A partial view of five and its reserve of thirty pay once a mesh has three times as many links.
  enterAboveMembers: 16,
  leaveBelowMembers: 10, // a third fewer, so that restarts one by one cross it never
  servers: Object.freeze([]) as readonly string[], // nobody serves who was not told to
  switchTimeoutMs: 60_000, // as the switch itself
});

/** How the topology of a node is looked after. */
export interface TopologyOptions {
  /** When it is changed. Unit: options. Default: {@link TOPOLOGY_POLICY_DEFAULTS}. */
  readonly policy?: TopologyPolicyOptions;
  /** Decisions and switches that are kept. Unit: records, at most 65,536. Default: 256. */
  readonly historyMax?: number;
}

/** How an overlay is switched. */
export interface SwitchTopologyOptions extends WaitOptions {
  /** Which overlay. Unit: name. Default: the only one. */
  readonly overlay?: string;
}

/** How a workload is looked at. */
export interface WorkloadOptions extends SwitchTopologyOptions {
  /** Switches the overlay where another strategy is proposed. Default: false. */
  readonly apply?: boolean;
}

/** A policy with every default filled in. */
export type TopologyPolicyRules = Required<Omit<TopologyPolicyOptions, "overlays">> &
  Pick<TopologyPolicyOptions, "overlays">;

/** Enough for a day of changes a few minutes apart; a record is a few hundred bytes. */
const HISTORY_MAX = 256;
const HISTORY_LIMIT = 65_536;
const NAMES_MAX = 256;
const OVERLAYS_MAX = 8;
const POLL_MS_MIN = 10;
/** Longest wait for a switch unless it says otherwise. Unit: ms. */
export const SWITCH_TIMEOUT_MS = 60_000;

function checkNames(name: string, value: readonly string[], max: number): void {
  const areNames =
    Array.isArray(value) && value.length <= max && value.every((one) => typeof one === "string");
  checkKind(name, areNames, `a list of at most ${max} names`);
}

/**
 * A policy with its defaults.
 *
 * @throws FoundationError `invalid_options`
 */
export function policyRules(options: TopologyPolicyOptions = {}): TopologyPolicyRules {
  checkKeys("policy", options, [...Object.keys(TOPOLOGY_POLICY_DEFAULTS), "overlays"]);
  const rules = { ...TOPOLOGY_POLICY_DEFAULTS, ...options };
  checkKind("auto", typeof rules.auto === "boolean", "true or false");
  checkDelay("pollMs", rules.pollMs);
  if (rules.pollMs < POLL_MS_MIN) {
    throw new FoundationError("invalid_options", `pollMs must be at least ${POLL_MS_MIN}`);
  }
  checkDelay("dwellMs", rules.dwellMs);
  checkDelay("switchTimeoutMs", rules.switchTimeoutMs);
  checkCount("enterAboveMembers", rules.enterAboveMembers);
  checkCount("leaveBelowMembers", rules.leaveBelowMembers, 0);
  if (rules.leaveBelowMembers >= rules.enterAboveMembers) {
    const text = "leaveBelowMembers must be below enterAboveMembers: between them nothing changes";
    throw new FoundationError("invalid_options", text);
  }
  checkNames("servers", rules.servers, NAMES_MAX);
  if (rules.overlays !== undefined) checkNames("overlays", rules.overlays, OVERLAYS_MAX);
  return rules;
}

/**
 * Checks how a topology is looked after, before there is a node.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkTopology(options: TopologyOptions = {}): void {
  checkKeys("topology", options, ["policy", "historyMax"]);
  policyRules(options.policy);
  historyLength(options.historyMax);
}

/**
 * The length of a history.
 *
 * @throws FoundationError `invalid_options`
 */
export function historyLength(historyMax: number = HISTORY_MAX): number {
  checkCount("historyMax", historyMax);
  if (historyMax <= HISTORY_LIMIT) return historyMax;
  throw new FoundationError("invalid_options", `historyMax must be at most ${HISTORY_LIMIT}`);
}
