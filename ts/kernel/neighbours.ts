import { RECORD, RING } from "../../bindings/generated/layout.ts";
import { FoundationError, native } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import type { Bundle } from "./bundle.ts";
import type { InboxRing } from "./inbox.ts";
import { core } from "./native.ts";
import { LOCAL_PEER, type Origin } from "./origin.ts";
import { type Credit, RecordWriter } from "./record-writer.ts";
import { RingConsumer, RingProducer } from "./ring.ts";
import type { SlabReference } from "./slabs.ts";

/** Credit that a message costs on top of its payload, as on links. Unit: bytes. */
const MESSAGE_COST_BYTES = 64;

/** A ring to another isolate of the node. Credit lies in the ring's own block. */
export class Neighbour implements Credit {
  readonly slot: number;
  readonly generation: number;
  readonly offset: number;
  readonly writer: RecordWriter;
  readonly #i32: Int32Array;
  readonly #settledWord: number;
  readonly #waitingWord: number;
  readonly #windowBytes: number;
  readonly #sent = new Uint32Array(RING.SETTLED_WORDS);

  constructor(
    arena: Arena,
    isolate: number,
    place: { slot: number; generation: number; offset: number },
    ringBytes: number,
    windowBytes: number,
  ) {
    this.slot = place.slot;
    this.generation = place.generation;
    this.offset = place.offset;
    this.#i32 = arena.i32;
    this.#settledWord = (arena.at(place.offset) + RING.SETTLED) >>> 2;
    this.#waitingWord = (arena.at(place.offset) + RING.CREDIT_WAITING) >>> 2;
    this.#windowBytes = windowBytes;
    const ring = new RingProducer(arena, arena.at(place.offset), ringBytes);
    const wake = (): void => core.ringIsolate(isolate, this.slot, this.generation);
    const handOver = (slab: SlabReference): boolean => {
      try {
        core.handOverSlab(isolate, slab.index, slab.generation, this.offset);
        return true;
      } catch {
        core.releaseSlab(isolate, slab.index, slab.generation);
        return false; // the isolate died: `pairClosed` is on its way
      }
    };
    this.writer = new RecordWriter(arena, isolate, ring, wake, handOver, this);
  }

  #unsettledBytes(channel: number): number {
    const settled = Atomics.load(this.#i32, this.#settledWord + channel) >>> 0;
    return ((this.#sent[channel] as number) - settled) >>> 0;
  }

  left(channel: number): number {
    // Whatever the window is, one message fits behind less than half a window: behind nothing at
    // all would be never, where a request stays open for as long as the isolate lives.
    const unsettled = this.#unsettledBytes(channel);
    const isWide = unsettled < this.#windowBytes >>> 1;
    return isWide ? Number.POSITIVE_INFINITY : this.#windowBytes - unsettled;
  }

  spend(channel: number, bytes: number): void {
    this.#sent[channel] = (this.#sent[channel] as number) + bytes;
  }

  /**
   * Whether a sender that was refused with `payloadBytes` may try again. Else it is woken by the
   * reader's progress.
   */
  hasRoom(channel: number, payloadBytes: number): boolean {
    this.writer.flush(); // what is under way counts
    const cost = payloadBytes + RECORD.BUNDLE_LENGTH_BYTES + MESSAGE_COST_BYTES;
    if (this.left(channel) < cost) {
      // As with the ring's WAITING word: announce, then look again. It stays where others may wait
      // for more; they are told once too often then.
      Atomics.exchange(this.#i32, this.#waitingWord, 1);
      if (this.left(channel) < cost) return false;
    }
    return this.writer.hasRoom(payloadBytes);
  }
}

/** A ring from another isolate of the node. */
export class NeighbourRing implements InboxRing, Origin {
  readonly ring: RingConsumer;
  readonly peer = LOCAL_PEER;
  readonly node: string;
  readonly slot: number;
  readonly generation: number;
  readonly offset: number;
  readonly #isolate: number;
  readonly #i32: Int32Array;
  readonly #settledWord: number;
  readonly #waitingWord: number;
  bundle: Bundle | undefined;
  #isSettleWakePlanned = false;
  #isClosed = false;

  constructor(
    arena: Arena,
    isolate: number,
    node: string,
    place: { slot: number; generation: number; offset: number },
    ringBytes: number,
  ) {
    this.node = node;
    this.slot = place.slot;
    this.generation = place.generation;
    this.offset = place.offset;
    this.#isolate = isolate;
    this.#i32 = arena.i32;
    this.#settledWord = (arena.at(place.offset) + RING.SETTLED) >>> 2;
    this.#waitingWord = (arena.at(place.offset) + RING.CREDIT_WAITING) >>> 2;
    this.ring = new RingConsumer(arena, arena.at(place.offset), ringBytes);
  }

  get origin(): Origin {
    return this;
  }

  settle(channel: number, _account: number, bytes: number): void {
    if (this.#isClosed) return; // a handler outlived the ring
    Atomics.add(this.#i32, this.#settledWord + channel, bytes + MESSAGE_COST_BYTES);
    if (this.#isSettleWakePlanned) return;
    this.#isSettleWakePlanned = true;
    queueMicrotask(() => {
      this.#isSettleWakePlanned = false;
      if (this.#isClosed) return;
      if (Atomics.exchange(this.#i32, this.#waitingWord, 0) !== 0) this.wakeWriter();
    });
  }

  /** Whether it is that isolate's. */
  isFrom({ slot, generation }: { readonly slot: number; readonly generation: number }): boolean {
    return this.slot === slot && this.generation === generation;
  }

  /** The ring is about to be given back: its words are not touched any more. */
  close(): void {
    this.#isClosed = true;
  }

  takeSlab(index: number, generation: number): void {
    core.takeOverSlab(this.#isolate, index, generation, this.offset);
  }

  wakeWriter(): void {
    core.ringIsolate(this.#isolate, this.slot, this.generation);
  }
}

/**
 * Makes a ring to another isolate, which hears of it from the kernel thread; `undefined` where that
 * isolate is gone.
 *
 * @throws FoundationError `arena_exhausted`, `node_left`
 */
export function openNeighbour(
  arena: Arena,
  isolate: number,
  place: { slot: number; generation: number },
  ringBytes: number,
  windowBytes: number,
): Neighbour | undefined {
  try {
    const offset = native(() => core.openPair(isolate, place.slot, place.generation));
    return new Neighbour(arena, isolate, { ...place, offset }, ringBytes, windowBytes);
  } catch (thrown) {
    if (thrown instanceof FoundationError && thrown.code === "noproc") return undefined;
    throw thrown;
  }
}
