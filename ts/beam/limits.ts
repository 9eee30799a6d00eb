/** Why an isolate was ended by policy: the exit reason of its process. */
export type LimitExceeded =
  | {
      readonly kind: "stalled";
      /** The limit. Unit: ms. */
      readonly stallMs: number;
      /** What it ran, one frame a line, the innermost first. Empty in a native call. */
      readonly stack: string;
    }
  | {
      readonly kind: "offHeap";
      /** The limit. Unit: bytes. */
      readonly limitBytes: number;
      /** What was found. Unit: bytes. */
      readonly externalBytes: number;
    };

/** Limits of an isolate, kept by the watchdog of its node. */
export interface IsolateLimits {
  /** Longest time without a poll of the event loop. Unit: ms. */
  readonly stallMs: number | undefined;
  /** Largest memory outside of the heap. Unit: bytes. */
  readonly offHeapBytes: number | undefined;
}

/** A limit has to be longer than what lies between two looks at an isolate. Unit: ms. */
export const STALL_MS_MIN = 50;
