/** Where workers live, and how what they work on gets there. */
export const MEMORY_STRATEGIES = Object.freeze([
  "default",
  "sharedHeap",
  "isolatedHeaps",
  "sharedBinaries",
  "frequentGc",
  "lowLatency",
] as const);

/**
 * Where workers live. `sharedHeap`: in the isolate of their ecosystem. `isolatedHeaps`: each in one
 * of its own. `sharedBinaries`: as that, and bytes reach them in shared memory, without a copy.
 * `frequentGc`, `lowLatency`: as that, with `gcStrategy` `frequentMinor` and `rareMinor`.
 * `default`: what `start` or `module` says.
 */
export type MemoryStrategy = (typeof MEMORY_STRATEGIES)[number];

/** When memory of workers is collected. */
export const GC_STRATEGIES = Object.freeze([
  "standard",
  "frequentMinor",
  "rareMinor",
  "betweenWork",
  "recycle",
] as const);

/**
 * When memory of workers is collected. `standard`: when V8 wants to. `frequentMinor`: a young
 * generation of 3 MiB, hence many short pauses and little memory. `rareMinor`: one of 192 MiB,
 * hence few, and what dies young is never moved. `betweenWork`: all of it, after each piece of
 * work; for programs started with `--expose-gc`. `recycle`: the worker is started anew
 * (`workers.recycle`), and its memory is gone at once.
 */
export type GcStrategy = (typeof GC_STRATEGIES)[number];

/** When a worker is started anew; one at a time, between two pieces of work. */
export interface RecycleOptions {
  /** After so many pieces of work. Unit: messages. Default: not by their number. */
  readonly afterPieces?: number;
  /**
   * When its heap and what V8 counts outside of it, garbage included, is above that after a piece
   * of work; of workers in isolates of their own. Unit: MiB. Default: not by its memory.
   */
  readonly aboveMiB?: number;
}

/** Bytes that reached workers in shared memory. */
export interface SharingCounts {
  /** Pieces of work with bytes that did. */
  readonly pieces: number;
  /** Of those. Unit: bytes. */
  readonly bytes: number;
  /** How often bytes had to be copied there; those in shared memory already are not. */
  readonly copies: number;
  /** Unit: bytes. */
  readonly copiedBytes: number;
  /** Pieces that went the usual way because the pool was full. */
  readonly refused: number;
  /** What is in use at this moment. Unit: binaries. */
  readonly binaries: number;
}
