import type { PressureEvent, PressureLevel } from "./pressure.ts";

/** Bounds of a pool of shared binaries. Defaults: {@link SHARED_BINARIES_DEFAULTS}. */
export interface SharedBinariesOptions {
  /** What all binaries of the pool may take, blocks kept for reuse included. Unit: bytes. */
  readonly budgetBytes?: number;
  /** Most that blocks which nobody reads may take to be used again. Unit: bytes. */
  readonly freeBytesMax?: number;
}

/** Bounds of a pool of shared binaries unless the options say otherwise. */
export const SHARED_BINARIES_DEFAULTS: Required<SharedBinariesOptions> = Object.freeze({
  budgetBytes: 64 << 20, // small beside what a heap may take by default
  freeBytesMax: 8 << 20, // an eighth of the budget
});

/** How a binary is put into a pool. Defaults: {@link PUT_DEFAULTS}. */
export interface PutOptions {
  /** May be given up under pressure while only the pool's isolate reads it. */
  readonly evictable?: boolean;
}

/** How a binary is put into a pool unless the options say otherwise. */
export const PUT_DEFAULTS: Required<PutOptions> = Object.freeze({
  evictable: false, // bytes that somebody holds stay
});

/** What a pool reports. */
export interface SharedBinariesEvents {
  pressure: PressureEvent;
}

/** What a pool holds, and what it did since it began. */
export interface SharedBinariesCounts {
  readonly budgetBytes: number;
  /** Blocks, those kept for reuse included, and compressed bytes. */
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly packedBytes: number;
  readonly level: PressureLevel;
  /** Binaries that somebody reads. */
  readonly binaries: number;
  /** Those of them that only other isolates read, or are about to. */
  readonly readElsewhere: number;
  readonly put: number;
  /** Puts that took a block that had been used before. */
  readonly reused: number;
  readonly refused: number;
  readonly compressed: number;
  /** Compressed binaries that came back into shared memory. */
  readonly restored: number;
  /** Reads of compressed binaries that were answered with a copy for want of room. */
  readonly unpackedCopies: number;
  readonly evicted: number;
  /** Blocks that were let go of at 80 percent. */
  readonly cleared: number;
  readonly copies: number;
  readonly copiedBytes: number;
}
