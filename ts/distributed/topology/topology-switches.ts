import type { Clock } from "../../base/clock.ts";
import type { WaitOptions } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import type { OverlaySnapshot, SwitchEvent, SwitchOutcome } from "../../kernel/overlay-commands.ts";
import type { OverlayStrategy } from "../../kernel/overlay-options.ts";
import type { TopologyNode } from "./topology-node.ts";
import { SWITCH_TIMEOUT_MS } from "./topology-options.ts";
import type { TopologyInputs, TopologySwitch, TopologyTarget } from "./topology-types.ts";

/** Why the core refuses a switch beside another one (native/node/src/cluster). */
const UNDER_WAY = "another switch is under way";

type Strategy = Exclude<TopologyTarget, string>;

/** Who wants a switch, and from what he concluded that. */
export type SwitchCause = Pick<TopologySwitch, "origin" | "rule" | "reason"> & {
  readonly inputs: TopologyInputs;
};

interface Begun extends SwitchCause {
  readonly from: OverlayStrategy;
  readonly to: OverlayStrategy;
  readonly atMs: number;
  /** Nobody waits for its outcome any more: the node's event tells it. */
  isAlone: boolean;
}

interface Seen {
  readonly strategy: OverlayStrategy;
  readonly epoch: number;
  /** What it ran before that epoch, as far as this isolate has seen. */
  readonly before: OverlayStrategy;
}

/** Makes switches, and writes down those of others: each one once. */
export class TopologySwitches {
  readonly #node: TopologyNode;
  readonly #clock: Clock;
  readonly #ended: (record: TopologySwitch) => void;
  readonly #begun = new Map<string, Begun>();
  readonly #seen = new Map<string, Seen>();
  /** The last epoch of each overlay whose switch was written down. */
  readonly #written = new Map<string, number>();
  /** When each overlay was last changed, or was not although it was to be. */
  readonly #changedAtMs = new Map<string, number>();

  constructor(node: TopologyNode, clock: Clock, ended: (record: TopologySwitch) => void) {
    this.#node = node;
    this.#clock = clock;
    this.#ended = ended;
    node.on("overlaySwitch", (event) => this.#heard(event));
  }

  /** What an overlay is now, so that a switch of another node can be told with what was before. */
  see(overlays: readonly OverlaySnapshot[]): void {
    for (const { name, strategy, epoch } of overlays) {
      const last = this.#seen.get(name);
      if (last?.epoch === epoch) continue;
      this.#seen.set(name, { strategy, epoch, before: last?.strategy ?? strategy });
    }
  }

  /** Time since the last change of an overlay; for ever where none was seen. Unit: ms. */
  sinceChange(overlay: string): number {
    const changedAtMs = this.#changedAtMs.get(overlay);
    return changedAtMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() - changedAtMs;
  }

  /**
   * Switches an overlay that is as it was seen.
   *
   * @throws FoundationError `topology_mismatch`, `switch_under_way`, `switch_failed`, and as
   *   `OverlayCommands.switchOverlay`
   */
  async make(
    overlay: OverlaySnapshot,
    to: Strategy,
    cause: SwitchCause,
    wait: WaitOptions,
  ): Promise<TopologySwitch> {
    const { name, strategy: from, epoch } = overlay;
    if (overlay.switchingTo !== undefined || this.#begun.has(name)) throw underWay(name);
    const begun = { ...cause, from, to: to.strategy, atMs: this.#clock.now(), isAlone: false };
    this.#begun.set(name, begun);
    const { timeoutMs = SWITCH_TIMEOUT_MS, signal } = wait;
    const options = { epoch, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    let outcome: SwitchOutcome;
    try {
      outcome = await this.#node.switchOverlay(name, from, to, options);
    } catch (thrown) {
      const { code } = thrown as { code?: string };
      // The wait is over; the switch may not be.
      if (code === "timeout" || code === "aborted") begun.isAlone = true;
      else this.#begun.delete(name);
      throw thrown;
    }
    const record = this.#finish(outcome, begun);
    if (record.outcome !== "switched") throw this.#failure(record, overlay);
    return record;
  }

  #finish(outcome: SwitchOutcome, begun: Begun | undefined): TopologySwitch {
    const { overlay, epoch } = outcome;
    this.#begun.delete(overlay);
    this.see(this.#node.topologySnapshot().overlays);
    const seen = this.#seen.get(overlay);
    if (outcome.outcome === "switched") this.#written.set(overlay, epoch);
    const { from, to, origin, rule, inputs } = begun ?? {
      from: seen?.before ?? "fullMesh",
      to: seen?.strategy ?? "fullMesh",
      origin: "member" as const,
      rule: undefined,
      inputs: undefined,
    };
    this.#changedAtMs.set(overlay, this.#clock.now());
    const record: TopologySwitch = Object.freeze({
      kind: "switch",
      atMs: this.#clock.wallNow(),
      overlay,
      from,
      to,
      epoch,
      outcome: outcome.outcome,
      origin,
      rule,
      reason: outcome.reason === "" ? (begun?.reason ?? "") : outcome.reason,
      durationMs: begun === undefined ? undefined : this.#clock.now() - begun.atMs,
      inputs,
    });
    this.#ended(record);
    return record;
  }

  #heard(event: SwitchEvent): void {
    const { outcome } = event;
    const begun = this.#begun.get(event.overlay);
    if (begun === undefined && outcome === "refused") return; // nothing has changed
    // Whoever waits for it writes it down.
    if (begun !== undefined && !begun.isAlone) return;
    // It was written down already: its outcome came before its event.
    if (outcome === "switched" && (this.#written.get(event.overlay) ?? 0) >= event.epoch) return;
    this.#finish(event, begun);
  }

  #failure(record: TopologySwitch, before: OverlaySnapshot): FoundationError {
    const { overlay, from, to, outcome, reason, epoch } = record;
    if (outcome === "refused") {
      const now = this.#node.topologySnapshot().overlays.find(({ name }) => name === overlay);
      // The last one may still be ending on other members.
      if (now?.switchingTo !== undefined || reason === UNDER_WAY) return underWay(overlay);
      if (now !== undefined && (now.strategy !== from || now.epoch !== before.epoch)) {
        return mismatch(now, from);
      }
    }
    const text = `'${overlay}' runs ${from} as before, and not ${to}: ${reason}`;
    const context = { overlay, from, to, outcome, reason, epoch };
    return new FoundationError("switch_failed", text, { context });
  }
}

/** An overlay is not what a caller took it for. */
export function mismatch(
  { name, strategy, epoch }: OverlaySnapshot,
  from: OverlayStrategy,
): FoundationError {
  const text = `'${name}' runs ${strategy} (epoch ${epoch}), not ${from}`;
  const context = { overlay: name, expected: from, actual: strategy, epoch };
  return new FoundationError("topology_mismatch", text, { context });
}

function underWay(overlay: string): FoundationError {
  const text = `'${overlay}' is being switched already`;
  return new FoundationError("switch_under_way", text, { context: { overlay } });
}
