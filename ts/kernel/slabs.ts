import { native } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import { core } from "./native.ts";

/** A slab this isolate holds a reference to. */
export interface SlabReference {
  readonly index: number;
  readonly generation: number;
  /** Where its bytes begin in the arena's buffer. Unit: bytes. */
  readonly start: number;
}

/** How an array holds a slab. */
interface Holding {
  readonly slab: SlabReference;
  readonly free: () => void;
}

/**
 * Bytes in place, received or counted here. Keeping the array keeps the slab: `release` gives it
 * back sooner than the collector.
 */
const held = new WeakMap<Uint8Array, Holding>();

const collected = new FinalizationRegistry<() => void>((giveBack) => giveBack());

/** What the core answers with: a slab's index, generation and offset. */
const place = new Uint32Array(3);
const placeBytes = new Uint8Array(place.buffer);

/** Takes a slab and copies a payload into it. */
export function fillSlab(arena: Arena, isolate: number, bytes: Uint8Array): SlabReference {
  native(() => core.fillSlab(isolate, bytes, placeBytes));
  const [index, generation, offset] = place as unknown as [number, number, number];
  return { index, generation, start: arena.at(offset) };
}

/**
 * A view on a slab of this isolate, released by {@link release} or, at last, when it is collected.
 */
export function viewSlab(
  arena: Arena,
  isolate: number,
  slab: SlabReference,
  length: number,
  onReleased: () => void,
): Uint8Array {
  const view = new Uint8Array(arena.buffer, slab.start, length);
  const giveBack = (): void => {
    onReleased();
    try {
      core.releaseSlab(isolate, slab.index, slab.generation);
    } catch {
      // The isolate left the node: its references were given back then.
    }
  };
  collected.register(view, giveBack, giveBack);
  const free = (): void => {
    collected.unregister(giveBack);
    giveBack();
  };
  held.set(view, { slab, free });
  return view;
}

/** The slab that an array holds; undefined for any other array, a part of such a one included. */
export function slabOf(bytes: Uint8Array): SlabReference | undefined {
  return held.get(bytes)?.slab;
}

/**
 * Gives the memory of a large received message, or of counted bytes, back at once; its bytes must
 * not be read afterwards. Answers false for bytes that are no such view, or were released before.
 * Without this call the garbage collector does it.
 */
export function release(bytes: Uint8Array): boolean {
  const holding = held.get(bytes);
  if (holding === undefined) return false;
  held.delete(bytes);
  holding.free();
  return true;
}

/** A private copy of received bytes that may share memory; the view is released. */
export function toOwned(bytes: Uint8Array): Uint8Array {
  const slab = slabOf(bytes);
  const { length } = bytes;
  // Not filled with zeros first: it is overwritten as a whole.
  const memory = Buffer.allocUnsafeSlow(length);
  const owned = new Uint8Array(memory.buffer, 0, length);
  // V8 copies shared memory word by word, the core as the processor can.
  if (slab === undefined || length === 0) owned.set(bytes);
  else core.copyOut(owned, slab.start);
  release(bytes);
  return owned;
}
