import type { SpawnOptions } from "./process-types.ts";
import type { ExitReason } from "./signals.ts";

/** What the isolate of a heavy process is told as it begins. */
export interface HeavyBoot {
  readonly node: string;
  /** What it loads before it has an order; undefined where that is on its way. */
  readonly preload: readonly string[] | undefined;
}

/** What it is told of the process that it is for: its first message. */
export interface HeavyOrder {
  readonly module: string;
  readonly export: string;
  /** The arguments and the parent's pid, encoded as any message is. */
  readonly given: Uint8Array;
  readonly options: SpawnOptions;
  /** At the watchdog, where the process has limits that it keeps. */
  readonly guard: number | undefined;
}

/** What it says of its start. */
export type HeavyNotice =
  | {
      /** It has joined, there, and loaded, and waits for an order. */
      readonly kind: "ready";
      readonly slot: number;
      readonly generation: number;
    }
  | { readonly kind: "started"; readonly pid: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** The last thing that it says: the exit reason of its process, encoded. */
export interface HeavyEnd {
  readonly kind: "ended";
  readonly reason: Uint8Array;
}

/** Why a heavy process ended, for who finds its isolate gone; undefined where it was none. */
export interface HeavyEndReport {
  readonly reason: ExitReason;
  readonly agoMs: number;
}
