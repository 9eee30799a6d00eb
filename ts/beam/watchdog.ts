import { FoundationError, native } from "../base/errors.ts";
import { raise } from "../base/typed-events.ts";
import { core, neededShim } from "../kernel/native.ts";
import { type IsolateLimits, type LimitExceeded, STALL_MS_MIN } from "./limits.ts";

/** When an event loop counts as stalled. */
export interface WatchOptions {
  /** Time without a poll of the event loop; at least 50. Unit: ms. */
  readonly stallMs: number;
}

/** An isolate whose event loop does not poll. */
export interface StallReport {
  /** Its place in the node. */
  readonly slot: number;
  /** Counts the isolates that had the slot. */
  readonly generation: number;
  /** `threadId` of its worker; 0 is the main thread. */
  readonly threadId: number;
  /** For how long the event loop has not polled. Unit: ms. */
  readonly runningMs: number;
  /** One frame a line, the innermost first. Empty in a native call. */
  readonly stack: string;
}

/** An isolate under guard. */
export interface Guarded {
  /** For the isolate, which tells its place by it: {@link stayGuarded}. */
  readonly id: number;
  /** Why the watchdog has ended it, if it has. Ends the guard: for when the isolate is gone. */
  readonly verdict: () => LimitExceeded | undefined;
}

/** Which node is watched. */
export interface WatchedNode {
  readonly name: string;
  /** Its number in this process. */
  readonly id: number;
}

/**
 * The watchdog of a node, as its root isolate holds it. The core's thread looks, and ends isolates
 * by itself: also while this one does nothing at all.
 */
export class Watchdog {
  readonly #node: WatchedNode;
  readonly #listeners = new Map<number, (report: StallReport) => void>();
  #isOpen = false;
  #isClosed = false;

  constructor(node: WatchedNode) {
    this.#node = node;
  }

  /**
   * Puts an isolate that is about to start under guard.
   *
   * @throws FoundationError `shim_missing`, `loop_watch_missing`, `node_left`
   */
  guard(limits: IsolateLimits): Guarded {
    if (limits.stallMs !== undefined) needLoopWatch();
    this.#open();
    const id = native(() => core.guardIsolate(this.#node.id, limits.stallMs, limits.offHeapBytes));
    return { id, verdict: () => verdictOf(id, limits) };
  }

  /** See `Beam.watch`. */
  listen({ stallMs }: WatchOptions, listener: (report: StallReport) => void): () => void {
    if (!(stallMs >= STALL_MS_MIN)) {
      throw new FoundationError("invalid_options", `stallMs must be at least ${STALL_MS_MIN}`);
    }
    needLoopWatch();
    this.#open();
    const id = native(() => core.listenForStalls(this.#node.id, stallMs));
    this.#listeners.set(id, listener);
    return () => {
      if (this.#listeners.delete(id)) native(() => core.stopListening(id));
    };
  }

  #open(): void {
    const { id, name } = this.#node;
    if (this.#isClosed) {
      throw new FoundationError("node_left", `'${name}' has left: nothing is watched`);
    }
    neededShim();
    if (this.#isOpen) return;
    native(() => core.openWatchdog(id, (hasFailed) => this.#wake(hasFailed === true)));
    this.#isOpen = true;
  }

  /** Raised in this isolate: limits that nobody keeps must not pass unseen. */
  #wake(hasFailed: boolean): void {
    if (hasFailed) {
      const text = `the watchdog of '${this.#node.name}' panicked: no limits are kept any more`;
      throw new FoundationError("internal", text);
    }
    for (const notice of native(() => core.takeStalls(this.#node.id))) {
      const { listener, slot, generation, thread, runningUs, stack } = notice;
      const report = { slot, generation, threadId: thread, runningMs: runningUs / 1_000, stack };
      try {
        this.#listeners.get(listener)?.(report);
      } catch (thrown) {
        raise(thrown); // the other reports are taken already
      }
    }
  }

  /** The node leaves. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.clear();
    if (this.#isOpen) core.closeWatchdog(this.#node.id);
  }
}

/**
 * The calling isolate, which is under guard, tells its place: its limits hold from here on.
 *
 * @throws FoundationError `node_left`
 */
export function stayGuarded(
  guard: number,
  { slot, generation }: { readonly slot: number; readonly generation: number },
): void {
  native(() => core.placeGuard(guard, slot, generation));
}

function verdictOf(guard: number, limits: IsolateLimits): LimitExceeded | undefined {
  const { stack, externalBytes } = native(() => core.endGuard(guard)) ?? {};
  const { stallMs, offHeapBytes: limitBytes } = limits;
  if (externalBytes !== undefined && limitBytes !== undefined) {
    return { kind: "offHeap", limitBytes, externalBytes };
  }
  if (stack !== undefined && stallMs !== undefined) return { kind: "stalled", stallMs, stack };
  return undefined;
}

function needLoopWatch(): void {
  if (core.hasLoopWatch()) return;
  const text =
    "this Node does not show when its event loop polls; see capabilities().busyDetection";
  throw new FoundationError("loop_watch_missing", text);
}
