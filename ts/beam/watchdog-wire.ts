import type { MessagePort } from "node:worker_threads";
import type { IsolateLimits, LimitExceeded, StallFound } from "./limits.ts";

/** What the watchdog's thread is told of the node that it is for. */
export interface WatchdogData {
  readonly node: string;
}

/** What the root isolate tells the watchdog. `id` is the root's, one for each watch. */
export type WatchdogOrder =
  | {
      /** An isolate tells its place by the port, and is woken by it. */
      readonly kind: "guard";
      readonly id: number;
      readonly port: MessagePort;
      readonly limits: IsolateLimits;
    }
  | { readonly kind: "verdict"; readonly id: number }
  | { readonly kind: "listen"; readonly id: number; readonly stallMs: number }
  | { readonly kind: "unlisten"; readonly id: number }
  | { readonly kind: "close" };

/** What the watchdog tells the root isolate. */
export type WatchdogNotice =
  | {
      readonly kind: "verdict";
      readonly id: number;
      /** Undefined where it has not ended that isolate. */
      readonly verdict: LimitExceeded | undefined;
    }
  | { readonly kind: "stall"; readonly id: number; readonly report: StallReport };

/** The place of a guarded isolate. */
export interface GuardedPlace {
  readonly slot: number;
  readonly generation: number;
}

/** An isolate whose event loop does not poll. */
export interface StallReport extends StallFound {
  /** Its place in the node. */
  readonly slot: number;
  /** Counts the isolates that had the slot. */
  readonly generation: number;
  /** `threadId` of its worker; 0 is the main thread. */
  readonly threadId: number;
}
