import { Wait } from "../../base/deadline.ts";
import { attempt, FoundationError } from "../../base/errors.ts";
import { checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";
import type { Home, Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import { GenServer, GenServerBody } from "../../beam/gen-server.ts";
import type { ProcessBody } from "../../beam/process-types.ts";
import type { Processes } from "../../beam/processes.ts";
import type { Blueprint } from "../../beam/startable.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { DiscoveryNode } from "../discovery/discovery-node.ts";
import { type DiscoveryPlan, planSearch } from "../discovery/plan.ts";
import type { Topology } from "./topology.ts";
import type { TopologyNode } from "./topology-node.ts";
import type { TopologyPolicyOptions } from "./topology-options.ts";
import { policyRules, SWITCH_TIMEOUT_MS } from "./topology-options.ts";
import type { TopologyTarget } from "./topology-types.ts";

/** What an overlay of the node is to be. */
export type WantedOverlay = Exclude<TopologyTarget, string> & {
  /**
   * Addresses of members to join, or how other nodes are found: as the option of
   * `Foundation.start`, for the whole node. Unit: addresses. Default: none.
   */
  readonly discovery?: readonly string[] | DiscoveryPlan;
};

/** How a `Distributed.Topology` is set up. */
export interface TopologyChildOptions {
  /**
   * By name: overlays that the node was started with, and what each is to be. It is made so once;
   * a restart leaves what it has become since. Unit: options. Default: none.
   */
  readonly overlays?: Readonly<Record<string, WantedOverlay>>;
  /** Runs the policy while the child lives. Unit: options. Default: no policy. */
  readonly policy?: TopologyPolicyOptions;
  /** Longest wait for overlays at the start. Unit: ms. Default: 60,000. */
  readonly timeoutMs?: number;
}

/** Where the children of an isolate find what they look after. */
export interface TopologyGround {
  readonly topology: Topology;
  readonly discovery: Discovery;
  readonly node: TopologyNode & Pick<DiscoveryNode, "cluster" | "address">;
  readonly processes: Processes;
  /** Overlays that a child of this isolate has made what they were to be. */
  readonly made: Set<string>;
}

const GROUNDS = new WeakMap<Home, TopologyGround>();

/** Lets the processes of a home look after its node's topology. */
export function settleTopology(home: Home, ground: TopologyGround): void {
  GROUNDS.set(home, ground);
}

function groundAt({ home }: Pid): TopologyGround {
  const ground = GROUNDS.get(home);
  if (ground !== undefined) return ground;
  const text = "a topology runs in isolates that started or attached a node by `Foundation`";
  throw new FoundationError("service_unavailable", text);
}

/** Makes an overlay what it is to be, where another node does not do so first. */
async function ensure(
  { topology, made }: TopologyGround,
  overlay: string,
  { discovery: _, ...target }: WantedOverlay,
  timeoutMs: number,
): Promise<void> {
  const late = (): string => `'${overlay}' did not become ${target.strategy} in time`;
  const wait = new Wait<void>({ timeoutMs }, "timeout", late);
  let isAsking = false;
  const turn = async (): Promise<void> => {
    const looked = attempt(() => topology.current());
    if (!looked.ok) return wait.reject(looked.error); // the node has left meanwhile
    const now = looked.value.overlays.find(({ name }) => name === overlay);
    if (now?.strategy === target.strategy) wait.resolve();
    if (isAsking || wait.isSettled || now?.switchingTo !== undefined) return;
    isAsking = true;
    try {
      await topology.switchTopology(target as TopologyTarget, { overlay, timeoutMs });
      wait.resolve();
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      // Where somebody else was first, what comes of it is heard of.
      if (code !== "switch_under_way" && code !== "topology_mismatch") wait.reject(thrown);
    } finally {
      isAsking = false;
    }
  };
  const stops = (["switched", "switchFailed"] as const).map((name) => {
    return topology.on(name, (record) => {
      if (record.overlay === overlay) void turn();
    });
  });
  try {
    await turn();
    await wait.promise;
    made.add(overlay);
  } finally {
    for (const stop of stops) stop();
  }
}

function areAddresses(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((one) => typeof one === "string");
}

/** Joins members, or begins to look for them; a search of the node that runs already goes on. */
async function find(
  { node, discovery }: TopologyGround,
  given: Required<WantedOverlay>["discovery"],
): Promise<void> {
  if (areAddresses(given)) {
    await node.join(given);
  } else if (discovery.status().state === "off") {
    const { options, steps } = planSearch(given, { cluster: node.cluster, listen: node.address });
    discovery.start(options, { steps });
  }
}

class TopologyServer extends GenServer<[TopologyChildOptions]> {
  #stopPolicy: Unsubscribe = () => {};

  override async init(options: TopologyChildOptions): Promise<void> {
    this.self.trapExit = true;
    const ground = groundAt(this.self.pid);
    const { overlays = {}, policy, timeoutMs = SWITCH_TIMEOUT_MS } = options;
    for (const [name, wanted] of Object.entries(overlays)) {
      if (wanted.discovery !== undefined) await find(ground, wanted.discovery);
      if (!ground.made.has(name)) await ensure(ground, name, wanted, timeoutMs);
    }
    if (policy === undefined) return;
    const stop = ground.topology.startPolicy(policy);
    this.#stopPolicy = stop;
    ground.processes.monitor(this.self.pid, stop); // also where it is killed
  }

  override terminate(): void {
    this.#stopPolicy();
  }
}

function checked(options: TopologyChildOptions): TopologyChildOptions {
  checkKind("the argument of Distributed.Topology", typeof options === "object", "an object");
  checkKeys("Distributed.Topology", options, ["overlays", "policy", "timeoutMs"]);
  const { overlays = {}, policy, timeoutMs } = options;
  for (const [name, { discovery, strategy }] of Object.entries(overlays)) {
    checkKind(`strategy of '${name}'`, typeof strategy === "string", "the name of a strategy");
    if (discovery !== undefined && !areAddresses(discovery)) planSearch(discovery, {});
  }
  policyRules(policy);
  if (timeoutMs !== undefined) checkDelay("timeoutMs", timeoutMs);
  return options;
}

/**
 * The topology of a node as a child of a supervisor: `{ start: Distributed.Topology, args: [{
 * overlays: { appCluster: { strategy: "hyparview", discovery: ["10.0.0.7:7000"] } } }] }`. Its
 * argument is a {@link TopologyChildOptions}. It starts when the overlays are what they are to be,
 * on whichever member that was done.
 */
export const TopologyChild: Blueprint = Object.freeze({
  label: "Topology",
  isSupervisor: false,
  make: (args: readonly unknown[], parent: Pid | undefined): ProcessBody<never> => {
    const [options = {}] = args;
    const server = new TopologyServer();
    const init = [checked(options as TopologyChildOptions)];
    return new GenServerBody(server as never, init, parent) as ProcessBody<never>;
  },
});
