import { Wait } from "../base/deadline.ts";
import { FoundationError, native } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { TypedEvents } from "../base/typed-events.ts";
import { core } from "./native.ts";
import type { NodeEvents, SendOptions } from "./node-types.ts";
import type { OverlayCommands, SwitchOutcome, TopologySnapshot } from "./overlay-commands.ts";
import { checkStrategy, type OverlayOptions, type OverlayStrategy } from "./overlay-options.ts";
import type { SharedNode, SharedOverlay } from "./shared-runtime.ts";

/** Longest wait for the outcome of a switch unless another one is given. Unit: ms. */
const SWITCH_TIMEOUT_MS = 60_000; // members of 1,000 nodes are asked within seconds

function overlayNamed(overlays: readonly SharedOverlay[] | undefined, name: string): number {
  if (overlays === undefined) {
    throw new FoundationError("no_overlays", "the node was started without overlays");
  }
  const at = overlays.findIndex((overlay) => overlay.name === name);
  if (at >= 0) return at;
  const known = overlays.map((overlay) => overlay.name);
  const guess = nearest(name, known);
  const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
  throw new FoundationError("unknown_overlay", `the node has no overlay '${name}'${hint}`);
}

/** The overlay that a broadcast takes, by its number; undefined in a node without any. */
export function overlayFor(
  overlays: readonly SharedOverlay[] | undefined,
  options: (SendOptions & { readonly overlay?: string }) | undefined,
): number | undefined {
  if (options?.overlay !== undefined) return overlayNamed(overlays, options.overlay);
  const channel = options?.channel ?? "default";
  const at = overlays?.findIndex((overlay) => overlay.channels.includes(channel));
  return at === undefined ? undefined : Math.max(0, at);
}

/** The strategy that is asked for; its options are those that the node was started with. */
function targetOf(
  overlay: SharedOverlay | undefined,
  to: Omit<OverlayOptions, "channels">,
): OverlayStrategy {
  for (const [key, value] of Object.entries(to)) {
    if (key === "strategy" || value === undefined) continue;
    if (value === Reflect.get(overlay?.options ?? {}, key)) continue;
    const text = `'${key}' of overlay '${overlay?.name}' is set when its nodes start`;
    throw new FoundationError("invalid_options", text);
  }
  return checkStrategy(`the switch of overlay '${overlay?.name}'`, to.strategy);
}

/** The questions and commands about a node's overlays. */
export class OverlayCalls implements OverlayCommands {
  readonly #node: SharedNode;
  readonly #events: TypedEvents<NodeEvents>;

  constructor(node: SharedNode, events: TypedEvents<NodeEvents>) {
    this.#node = node;
    this.#events = events;
  }

  topologySnapshot(): TopologySnapshot {
    const text = native(() => core.nodeTopology(this.#node.node));
    // What is not known is null over there and left out here.
    const known = (_key: string, value: unknown): unknown => value ?? undefined;
    return JSON.parse(text, known) as TopologySnapshot;
  }

  async switchOverlay(
    overlay: string,
    from: OverlayOptions["strategy"],
    to: Omit<OverlayOptions, "channels">,
    options: { readonly epoch: number; readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<SwitchOutcome> {
    const at = overlayNamed(this.#node.overlays, overlay);
    const strategy = targetOf(this.#node.overlays?.[at], to);
    const { epoch, timeoutMs = SWITCH_TIMEOUT_MS, signal } = options;
    const late = (): string => `the switch of '${overlay}' did not end within ${timeoutMs} ms`;
    const stops: (() => void)[] = [];
    const waiting = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
    const wait = new Wait<SwitchOutcome>(waiting, "timeout", late, () => {
      for (const stop of stops.splice(0)) stop();
    });
    stops.push(
      this.#events.on("overlaySwitch", (outcome) => {
        if (outcome.overlay === overlay) wait.resolve(outcome);
      }),
      this.#events.on("left", () => wait.reject(new FoundationError("node_left", "it has left"))),
    );
    try {
      native(() => core.switchOverlay(this.#node.node, overlay, epoch, from, strategy));
    } catch (thrown) {
      wait.reject(thrown);
    }
    return wait.promise;
  }
}
