import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { attempt, FoundationError } from "../../base/errors.ts";
import { checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";
import { TypedEvents, type Unsubscribe } from "../../base/typed-events.ts";
import type { OverlaySnapshot, TopologySnapshot } from "../../kernel/overlay-commands.ts";
import type { OverlayStrategy } from "../../kernel/overlay-options.ts";
import { PolicyLoop } from "./policy-loop.ts";
import { judge } from "./rules/judge.ts";
import { workloadSizes } from "./rules/workloads.ts";
import { TopologyJournal } from "./topology-journal.ts";
import { TopologyMeasurements } from "./topology-measurements.ts";
import type { TopologyNode } from "./topology-node.ts";
import {
  checkTopology,
  historyLength,
  policyRules,
  type SwitchTopologyOptions,
  type TopologyOptions,
  type TopologyPolicyOptions,
  type TopologyPolicyRules,
  type WorkloadOptions,
} from "./topology-options.ts";
import { mismatch, type SwitchCause, TopologySwitches } from "./topology-switches.ts";
import type {
  CurrentTopology,
  TopologyAnalysis,
  TopologyDecision,
  TopologyEvents,
  TopologyRecord,
  TopologySwitch,
  TopologyTarget,
  Workload,
  WorkloadAdvice,
} from "./topology-types.ts";

type Strategy = Exclude<TopologyTarget, string>;

const SWITCH_KEYS = ["overlay", "timeoutMs", "signal"];

function checkWait(where: string, options: SwitchTopologyOptions, more: readonly string[]): void {
  checkKeys(where, options, [...SWITCH_KEYS, ...more]);
  if (options.timeoutMs !== undefined) checkDelay("timeoutMs", options.timeoutMs);
}

function isTarget(value: unknown): value is TopologyTarget {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && "strategy" in value;
}

/**
 * The overlays of a node: what they are, what they should be and why, and how they become it.
 * Every isolate of a node has one; what it counts and remembers is its own.
 */
export class Topology {
  readonly #node: TopologyNode;
  readonly #clock: Clock;
  readonly #events = new TypedEvents<TopologyEvents>();
  #rules: TopologyPolicyRules;
  readonly #journal: TopologyJournal;
  readonly #measurements: TopologyMeasurements;
  readonly #switches: TopologySwitches;
  #loop: PolicyLoop | undefined;

  /** Use `node.distributed.topology`. */
  constructor(node: TopologyNode, options: TopologyOptions = {}, clock: Clock = SYSTEM_CLOCK) {
    checkTopology(options);
    this.#node = node;
    this.#clock = clock;
    this.#rules = policyRules(options.policy);
    this.#journal = new TopologyJournal(historyLength(options.historyMax));
    this.#measurements = new TopologyMeasurements(node, clock);
    this.#switches = new TopologySwitches(node, clock, (record) => this.#ended(record));
    if (this.#rules.auto) this.startPolicy(options.policy);
  }

  /** Calls `listener` at every event of that name until the returned function is called. */
  on<Name extends keyof TopologyEvents>(
    name: Name,
    listener: (event: TopologyEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * The overlays and the members as this node has them now.
   *
   * @throws FoundationError `no_overlays` on a node without any, `node_left`
   */
  current(): CurrentTopology {
    const { self, members, overlays } = this.#look();
    return { node: self.name, size: members.length + 1, members, overlays };
  }

  /**
   * What was measured, what the rules make of it, and why; nothing is changed.
   *
   * @throws FoundationError `unknown_overlay`, `invalid_options` where there are several overlays
   *   and none is named, and as {@link current}
   */
  analyze(options: { readonly overlay?: string } = {}): TopologyAnalysis {
    checkKeys("analyze", options, ["overlay"]);
    const snapshot = this.#look();
    return this.#analyzed(snapshot, this.#overlayOf(snapshot, options.overlay));
  }

  /** Decisions and switches, oldest first; `historyMax` of them. */
  history(): readonly TopologyRecord[] {
    return this.#journal.all();
  }

  /**
   * What a workload asks of an overlay, by the same rules with other sizes. It is changed only with
   * `apply`, which no dwell time holds back.
   *
   * @throws FoundationError as {@link analyze} and, with `apply`, {@link switchTopology}
   */
  async optimizeForWorkload(
    workload: Workload,
    options: WorkloadOptions = {},
  ): Promise<WorkloadAdvice> {
    checkWait("optimizeForWorkload", options, ["apply"]);
    const { apply = false } = options;
    checkKind("apply", typeof apply === "boolean", "true or false");
    const snapshot = this.#look();
    const overlay = this.#overlayOf(snapshot, options.overlay);
    const { because, ...sizes } = workloadSizes(workload, this.#rules);
    const inputs = this.#measurements.inputs(snapshot, overlay, this.#rules.servers);
    const servers = workload === "clientServer" ? this.#rules.servers : [];
    const asked = servers.length === 0 ? { ...inputs, servers: 0 } : inputs;
    const { name: self } = this.#node;
    // Whoever asks acts, and at once.
    const rules = { ...sizes, servers, dwellMs: 0 };
    const judged = judge({ ...asked, actor: self }, rules, Number.POSITIVE_INFINITY, self);
    const cause: SwitchCause = {
      origin: "workload",
      rule: judged.rule,
      reason: `${workload}: ${judged.reason}`,
      inputs,
    };
    const applied =
      apply && judged.verdict === "switch"
        ? await this.#switches.make(overlay, this.#strategyOf(judged.proposal), cause, options)
        : undefined;
    return { workload, overlay: overlay.name, inputs, because, ...sizes, ...judged, applied };
  }

  /**
   * Makes an overlay what is asked for, on all members: both run until the new one is verified, and
   * the old one stays where it is not. Where it runs that already nothing is done, unless options
   * are given.
   *
   * @throws FoundationError `switch_under_way`, `switch_failed` with the reason: the overlay is as
   *   it was; `timeout` and `aborted` end the wait alone; as {@link analyze}
   */
  async switchTopology(
    to: TopologyTarget,
    options?: SwitchTopologyOptions,
  ): Promise<TopologySwitch>;
  /**
   * The same, where the overlay is `from` still: compare-and-switch.
   *
   * @throws FoundationError `topology_mismatch` where it is not
   */
  async switchTopology(
    from: OverlayStrategy,
    to: TopologyTarget,
    options?: SwitchTopologyOptions,
  ): Promise<TopologySwitch>;
  async switchTopology(
    first: TopologyTarget,
    second?: TopologyTarget | SwitchTopologyOptions,
    third?: SwitchTopologyOptions,
  ): Promise<TopologySwitch> {
    const isCompared = isTarget(second);
    const to = isCompared ? second : first;
    checkKind("the target of switchTopology", isTarget(to), "a strategy, or an object with one");
    const options = (isCompared ? third : second) ?? {};
    checkWait("switchTopology", options, []);
    const snapshot = this.#look();
    const overlay = this.#overlayOf(snapshot, options.overlay);
    if (isCompared && overlay.strategy !== first) throw mismatch(overlay, first as OverlayStrategy);
    const inputs = this.#measurements.inputs(snapshot, overlay, this.#rules.servers);
    const reason = "asked for";
    const cause: SwitchCause = { origin: "caller", rule: undefined, reason, inputs };
    if (overlay.strategy === to && overlay.switchingTo === undefined) {
      return this.#unchanged(overlay, cause);
    }
    const strategy = typeof to === "string" ? this.#strategyOf(to) : to;
    return this.#switches.make(overlay, strategy, cause, options);
  }

  /**
   * Has the policy decide every `pollMs`, until the returned function is called. One runs at a time
   * in an isolate; its `servers` count for {@link analyze} too.
   *
   * @throws FoundationError `invalid_options`, also where one runs already
   */
  startPolicy(options: TopologyPolicyOptions = {}): Unsubscribe {
    if (this.#loop !== undefined) {
      throw new FoundationError("invalid_options", "the policy of this isolate runs already");
    }
    const rules = policyRules({ ...options, auto: true });
    this.#rules = rules;
    const loop = new PolicyLoop(this.#clock, rules.pollMs, async () => this.#decide(rules));
    this.#loop = loop;
    return () => {
      loop.stop();
      if (this.#loop === loop) this.#loop = undefined;
    };
  }

  /** Ends what runs by time: the isolate has let go of its node. */
  close(): void {
    this.#loop?.stop();
    this.#loop = undefined;
  }

  /** Decides for each overlay; false when the node has none any more. */
  async #decide(rules: TopologyPolicyRules): Promise<boolean> {
    const looked = attempt(() => this.#look());
    if (!looked.ok) return (looked.error as { code?: string }).code !== "node_left";
    const { value: snapshot } = looked;
    const names = rules.overlays ?? snapshot.overlays.map(({ name }) => name);
    for (const overlay of snapshot.overlays.filter(({ name }) => names.includes(name))) {
      const { overlay: name, ...analysis } = this.#analyzed(snapshot, overlay);
      const atMs = this.#clock.wallNow();
      const decision: TopologyDecision = { kind: "decision", atMs, overlay: name, ...analysis };
      this.#journal.add(decision);
      this.#events.emit("decision", decision);
      if (decision.verdict === "switch") await this.#carryOut(overlay, decision, rules);
    }
    return true;
  }

  async #carryOut(
    overlay: OverlaySnapshot,
    { proposal, rule, reason, inputs }: TopologyDecision,
    { switchTimeoutMs }: TopologyPolicyRules,
  ): Promise<void> {
    const cause: SwitchCause = { origin: "policy", rule, reason, inputs };
    const wait = { timeoutMs: switchTimeoutMs };
    try {
      await this.#switches.make(overlay, this.#strategyOf(proposal), cause, wait);
    } catch (thrown) {
      // What became of it is in the journal; the next decision comes when its time has come.
      if (!(thrown instanceof FoundationError)) throw thrown;
    }
  }

  #look(): TopologySnapshot {
    const snapshot = this.#node.topologySnapshot();
    this.#switches.see(snapshot.overlays);
    return snapshot;
  }

  #overlayOf({ overlays }: TopologySnapshot, name: string | undefined): OverlaySnapshot {
    const [only] = overlays;
    if (name === undefined && only !== undefined && overlays.length === 1) return only;
    const names = overlays.map((one) => `'${one.name}'`).join(", ");
    if (name === undefined) {
      throw new FoundationError("invalid_options", `\`overlay\` has to be one of ${names}`);
    }
    const found = overlays.find((one) => one.name === name);
    if (found !== undefined) return found;
    const text = `there is no overlay '${name}': this node has ${names}`;
    throw new FoundationError("unknown_overlay", text, { context: { overlay: name } });
  }

  #analyzed(snapshot: TopologySnapshot, overlay: OverlaySnapshot): TopologyAnalysis {
    const { servers } = this.#rules;
    const inputs = this.#measurements.inputs(snapshot, overlay, servers);
    const sinceMs = this.#switches.sinceChange(overlay.name);
    return {
      overlay: overlay.name,
      inputs,
      ...judge(inputs, this.#rules, sinceMs, this.#node.name),
    };
  }

  /** A strategy with what the policy knows of its options. */
  #strategyOf(strategy: OverlayStrategy): Strategy {
    const { servers } = this.#rules;
    if (strategy === "clientServer" && servers.length > 0) {
      return { strategy, role: servers.includes(this.#node.name) ? "server" : "client" };
    }
    // What is missing is told by whoever checks the options of strategies.
    return { strategy } as Strategy;
  }

  #unchanged(overlay: OverlaySnapshot, cause: SwitchCause): TopologySwitch {
    const { name, strategy, epoch } = overlay;
    return {
      kind: "switch",
      atMs: this.#clock.wallNow(),
      overlay: name,
      from: strategy,
      to: strategy,
      epoch,
      outcome: "unchanged",
      durationMs: 0,
      ...cause,
    };
  }

  #ended(record: TopologySwitch): void {
    this.#journal.add(record);
    this.#events.emit(record.outcome === "switched" ? "switched" : "switchFailed", record);
  }
}
