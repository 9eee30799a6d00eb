import { FoundationError } from "../../base/errors.ts";

/*
 * The first eight bytes of a block say who reads it: generation (32 bits), readers that were
 * announced and have not opened it (16), readers with those (16). One word, so that whoever changes
 * it changes all of it at once; the generation keeps those of an earlier use out.
 */

/** Length of the word in front of the bytes. Unit: bytes. */
export const COUNT_BYTES = 8;

/** Most readers of a block at a time. Unit: readers. */
export const READERS_MAX = 0xffff;

const PENDING_SHIFT = 16n;
const GENERATION_SHIFT = 32n;
const PART = 0xffffn;
const GENERATIONS = 0xffff_ffff;

/** A block has this many readers. */
export interface Readers {
  readonly generation: number;
  /** Announced, and not come yet. */
  readonly pending: number;
  /** Those included. */
  readonly readers: number;
}

/** Reads the count of a block. */
export function readersOf(block: SharedArrayBuffer): Readers {
  return unpack(Atomics.load(wordOf(block), 0));
}

/** Starts a new use of a block, with one reader; answers its generation. */
export function startUse(block: SharedArrayBuffer): number {
  const words = wordOf(block);
  const generation = (unpack(Atomics.load(words, 0)).generation + 1) & GENERATIONS;
  const started = { generation: generation >>> 0, pending: 0, readers: 1 };
  Atomics.store(words, 0, pack(started));
  return started.generation;
}

/**
 * Announces readers to come. The caller is a reader.
 *
 * @throws FoundationError `binary_crowded`
 */
export function announce(block: SharedArrayBuffer, more: number): void {
  change(block, ({ generation, pending, readers }) => {
    if (readers + more > READERS_MAX) throw crowdedError();
    return { generation, pending: pending + more, readers: readers + more };
  });
}

/** An announced reader comes; false where none is announced, or the block has another use. */
export function arrive(block: SharedArrayBuffer, expected: number): boolean {
  return change(block, ({ generation, pending, readers }) => {
    if (generation !== expected || pending === 0) return undefined;
    return { generation, pending: pending - 1, readers };
  });
}

/** A reader leaves; true: it was the last one. */
export function depart(block: SharedArrayBuffer): boolean {
  let left = 0;
  change(block, ({ generation, pending, readers }) => {
    left = readers - 1;
    return { generation, pending, readers: left };
  });
  return left === 0;
}

function crowdedError(): FoundationError {
  const text = `a shared binary has at most ${READERS_MAX} readers`;
  return new FoundationError("binary_crowded", text);
}

/** Changes the word as one step, again where another isolate was faster. */
function change(block: SharedArrayBuffer, next: (now: Readers) => Readers | undefined): boolean {
  const words = wordOf(block);
  for (;;) {
    const now = Atomics.load(words, 0);
    const wanted = next(unpack(now));
    if (wanted === undefined) return false;
    if (Atomics.compareExchange(words, 0, now, pack(wanted)) === now) return true;
  }
}

function wordOf(block: SharedArrayBuffer): BigUint64Array {
  return new BigUint64Array(block, 0, 1);
}

function unpack(word: bigint): Readers {
  return {
    generation: Number(word >> GENERATION_SHIFT),
    pending: Number((word >> PENDING_SHIFT) & PART),
    readers: Number(word & PART),
  };
}

function pack({ generation, pending, readers }: Readers): bigint {
  const high = BigInt(generation) << GENERATION_SHIFT;
  return high | (BigInt(pending) << PENDING_SHIFT) | BigInt(readers);
}
