import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys, checkKind } from "../../base/option-checks.ts";
import { TypedEvents, type Unsubscribe } from "../../base/typed-events.ts";
import { compress, decompress } from "./binaries.ts";
import { blockBytesFor, FreeBlocks } from "./free-blocks.ts";
import { type EntryKeeper, type EntryState, PoolEntry } from "./pool-entry.ts";
import { levelOf, PRESSURE_STEPS, type PressureAction, type PressureLevel } from "./pressure.ts";
import { depart, readersOf, startUse } from "./reader-count.ts";
import {
  PUT_DEFAULTS,
  type PutOptions,
  SHARED_BINARIES_DEFAULTS,
  type SharedBinariesCounts,
  type SharedBinariesEvents,
  type SharedBinariesOptions,
} from "./shared-binaries-types.ts";
import { bytesOf, SharedBinary } from "./shared-binary.ts";

/** Most binaries that one put looks at for compression; the next one looks at the others. */
const LOOKS_MAX = 256;

const PUT_KEYS = Object.keys(PUT_DEFAULTS);

/** Below this compressing gains nothing worth it. Unit: bytes. */
const PACK_BYTES_MIN = 256;

/**
 * A pool of binaries in shared memory with a budget. Readers are counted in the shared memory, so
 * any isolate of the process can be one. It belongs to the isolate that made it.
 */
export class SharedBinaries {
  readonly #budgetBytes: number;
  readonly #free: FreeBlocks;
  readonly #onClosed: () => void;
  readonly #events = new TypedEvents<SharedBinariesEvents>();
  readonly #departures = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #keeper: EntryKeeper;
  /** Read here, what was used longest ago first. */
  readonly #here = new Set<PoolEntry>();
  /** Those of them that may gain by compression, in the same order. */
  readonly #packable = new Set<PoolEntry>();
  /** The last one in both: whoever reads it again leaves the order as it is. */
  #latest: PoolEntry | undefined;
  /** Read elsewhere alone. */
  readonly #elsewhere = new Set<PoolEntry>();
  readonly #tally = {
    put: 0,
    reused: 0,
    refused: 0,
    compressed: 0,
    restored: 0,
    unpackedCopies: 0,
    evicted: 0,
    cleared: 0,
    copies: 0,
    copiedBytes: 0,
  };
  #liveBytes = 0;
  #packedBytes = 0;
  #departuresSeen = 0;
  #reached: PressureLevel = 0;
  #isClosed = false;

  /**
   * `onClosed` runs once, when the pool closes. Default: nobody is told.
   *
   * @throws FoundationError `invalid_options`
   */
  constructor(options: SharedBinariesOptions = {}, onClosed = (): void => {}) {
    checkKeys("the options of a pool", options, Object.keys(SHARED_BINARIES_DEFAULTS));
    this.#onClosed = onClosed;
    const { budgetBytes, freeBytesMax } = { ...SHARED_BINARIES_DEFAULTS, ...options };
    this.#budgetBytes = checkCount("budgetBytes", budgetBytes);
    this.#free = new FreeBlocks(checkCount("freeBytesMax", freeBytesMax, 0));
    this.#keeper = {
      departures: this.#departures,
      touched: (entry) => this.#touch(entry),
      unpacked: (entry, packed) => this.#unpacked(entry, packed),
      restore: (entry, packed) => this.#restore(entry, packed),
      released: (entry, isLast) => this.#released(entry, isLast),
    };
  }

  /** Calls `listener` at every event of that name until the returned function is called. */
  on<Name extends keyof SharedBinariesEvents>(
    name: Name,
    listener: (event: SharedBinariesEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Copies bytes into shared memory. The answer is their first reader.
   *
   * @throws FoundationError `binaries_full`: nothing was taken; `node_left` after {@link close};
   *   `invalid_options` for what is no Uint8Array
   */
  put(bytes: Uint8Array, options: PutOptions = {}): SharedBinary {
    if (this.#isClosed) throw new FoundationError("node_left", "the pool is closed");
    checkKind("bytes", bytes instanceof Uint8Array, "a Uint8Array");
    checkKeys("the options of put", options, PUT_KEYS);
    const { evictable } = { ...PUT_DEFAULTS, ...options };
    const state = this.#shared(bytes);
    const entry = new PoolEntry(this.#keeper, state, bytes.byteLength, evictable);
    this.#enter(entry);
    this.#tally.put++;
    return new SharedBinary(entry);
  }

  /**
   * Takes back what last readers in other isolates have released, as every other call does first.
   *
   * @returns how many binaries that were
   */
  reap(): number {
    const departures = Atomics.load(new Int32Array(this.#departures), 0);
    if (departures === this.#departuresSeen) return 0;
    this.#departuresSeen = departures;
    let reaped = 0;
    for (const entry of this.#elsewhere) {
      const { state } = entry;
      if (state.kind !== "shared" || readersOf(state.block).readers > 0) continue;
      this.#elsewhere.delete(entry);
      this.#recycle(state.block);
      reaped++;
    }
    this.#relieved();
    return reaped;
  }

  /** What it holds and did. */
  counts(): SharedBinariesCounts {
    this.reap();
    return {
      ...this.#tally,
      budgetBytes: this.#budgetBytes,
      usedBytes: this.#usedBytes,
      freeBytes: this.#free.bytes,
      packedBytes: this.#packedBytes,
      level: levelOf(this.#usedBytes, this.#budgetBytes),
      binaries: this.#here.size + this.#elsewhere.size,
      readElsewhere: this.#elsewhere.size,
    };
  }

  /** Lets go of everything. Readers in other isolates keep what they have until they release it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const entry of this.#here) {
      const { state } = entry;
      entry.state = { kind: "closed" };
      // What is dropped is never used again: late views of it stay what they were.
      if (state.kind === "shared") depart(state.block);
    }
    this.#latest = undefined;
    this.#here.clear();
    this.#packable.clear();
    this.#elsewhere.clear();
    this.#free.clear();
    this.#liveBytes = 0;
    this.#packedBytes = 0;
    this.#onClosed();
  }

  get #usedBytes(): number {
    return this.#liveBytes + this.#packedBytes + this.#free.bytes;
  }

  /** Bytes in a block, with one reader. */
  #shared(bytes: Uint8Array): EntryState {
    this.reap();
    const size = blockBytesFor(bytes.byteLength);
    const free = this.#free.take(size);
    if (free === undefined) this.#admit(size);
    else this.#tally.reused++;
    const block = free ?? new SharedArrayBuffer(size);
    this.#liveBytes += size;
    bytesOf(block, bytes.byteLength).set(bytes);
    this.#tally.copies++;
    this.#tally.copiedBytes += bytes.byteLength;
    return { kind: "shared", block, generation: startUse(block) };
  }

  /** Makes room by what each level does, and refuses where that is not enough. */
  #admit(size: number): void {
    const levelWith = (): PressureLevel => levelOf(this.#usedBytes + size, this.#budgetBytes);
    const isHopeless = levelOf(size, this.#budgetBytes) === 98;
    let reached: PressureLevel = 0;
    for (const { level, action } of PRESSURE_STEPS) {
      if (levelWith() < level) break;
      reached = level;
      // What would not fit an empty pool must not empty a full one.
      if (isHopeless && action !== "refuse") continue;
      const isNew = level > this.#reached;
      if (action === "refuse") this.#tally.refused++;
      const usedBefore = this.#usedBytes;
      const affected = this.#act(action, size);
      if (isNew || affected > 0) {
        this.#tell(level, action, affected, usedBefore - this.#usedBytes);
      }
    }
    if (reached > 0) this.#reached = reached;
    else this.#relieved();
    if (levelWith() < 98) return;
    const context = { bytes: size, usedBytes: this.#usedBytes, budgetBytes: this.#budgetBytes };
    const text = `the pool has no room for ${size} bytes within ${this.#budgetBytes}`;
    throw new FoundationError("binaries_full", text, { context });
  }

  #act(action: PressureAction, size: number): number {
    if (action === "clearFree") {
      const cleared = this.#free.clear();
      this.#tally.cleared += cleared;
      return cleared;
    }
    const isAt = (percent: PressureLevel): boolean =>
      levelOf(this.#usedBytes + size, this.#budgetBytes) >= percent;
    if (action === "compress") return this.#compressCold(() => isAt(90));
    return action === "evict" ? this.#evict(() => isAt(95)) : 0;
  }

  /** Compresses what was read longest ago and only this isolate reads. */
  #compressCold(isNeeded: () => boolean): number {
    this.#latest = undefined; // others may come to stand behind it
    let looksLeft = Math.min(LOOKS_MAX, this.#packable.size);
    let compressed = 0;
    for (const entry of this.#packable) {
      if (!isNeeded() || looksLeft-- === 0) break;
      this.#packable.delete(entry);
      // What others read is no colder for it: the next look finds those behind it.
      if (!entry.isHereAlone) this.#packable.add(entry);
      else if (this.#pack(entry)) compressed++;
    }
    this.#tally.compressed += compressed;
    return compressed;
  }

  #pack(entry: PoolEntry): boolean {
    const { state, byteLength } = entry;
    const packed = state.kind === "shared" && compress(bytesOf(state.block, byteLength));
    if (state.kind !== "shared" || !(packed instanceof Uint8Array)) return false;
    this.#tally.copies++;
    this.#tally.copiedBytes += packed.byteLength;
    entry.state = { kind: "packed", packed };
    this.#liveBytes -= state.block.byteLength;
    this.#packedBytes += packed.byteLength;
    return true;
  }

  #evict(isNeeded: () => boolean): number {
    let evicted = 0;
    for (const entry of this.#here) {
      if (!isNeeded()) break;
      const { state } = entry;
      const isHere = state.kind === "packed" || entry.isHereAlone;
      if (!entry.isEvictable || !isHere) continue;
      this.#discount(state);
      entry.state = { kind: "evicted" };
      this.#leave(entry);
      evicted++;
    }
    this.#tally.evicted += evicted;
    return evicted;
  }

  /** What an entry takes does so no more; its block is left to the collector, views and all. */
  #discount(state: EntryState): void {
    if (state.kind === "shared") this.#liveBytes -= state.block.byteLength;
    if (state.kind === "packed") this.#packedBytes -= state.packed.byteLength;
  }

  #touch(entry: PoolEntry): void {
    if (entry === this.#latest) return;
    this.#latest = entry;
    if (this.#here.delete(entry)) this.#here.add(entry);
    if (this.#packable.delete(entry)) this.#packable.add(entry);
  }

  #enter(entry: PoolEntry): void {
    this.#latest = entry;
    this.#here.add(entry);
    if (entry.byteLength >= PACK_BYTES_MIN) this.#packable.add(entry);
  }

  #leave(entry: PoolEntry): void {
    if (entry === this.#latest) this.#latest = undefined;
    this.#here.delete(entry);
    this.#packable.delete(entry);
  }

  #unpacked(entry: PoolEntry, packed: Uint8Array): Uint8Array {
    const more = blockBytesFor(entry.byteLength) - packed.byteLength;
    if (levelOf(this.#usedBytes + more, this.#budgetBytes) === 0) {
      this.#restore(entry, packed);
      return entry.bytes();
    }
    this.#tally.unpackedCopies++;
    this.#tally.copies++;
    this.#tally.copiedBytes += entry.byteLength;
    return decompress(packed);
  }

  #restore(entry: PoolEntry, packed: Uint8Array): void {
    // Room for it must not be made of itself.
    this.#leave(entry);
    try {
      entry.state = this.#shared(decompress(packed));
      this.#packedBytes -= packed.byteLength;
      this.#tally.restored++;
    } finally {
      this.#enter(entry);
    }
  }

  #released(entry: PoolEntry, isLast: boolean): void {
    const { state } = entry;
    this.#leave(entry);
    if (!isLast) this.#elsewhere.add(entry);
    else if (state.kind === "shared") this.#recycle(state.block);
    else this.#discount(state);
    this.#relieved();
  }

  #recycle(block: SharedArrayBuffer): void {
    this.#liveBytes -= block.byteLength;
    this.#free.give(block);
  }

  /** Tells once that the pressure is over. */
  #relieved(): void {
    if (this.#reached === 0 || levelOf(this.#usedBytes, this.#budgetBytes) > 0) return;
    this.#reached = 0;
    this.#tell(0, "none", 0, 0);
  }

  /** Behind the present call: a listener that uses the pool must not meet it half way. */
  #tell(level: PressureLevel, action: PressureAction, affected: number, freedBytes: number): void {
    const usedBytes = this.#usedBytes;
    const budgetBytes = this.#budgetBytes;
    const event = { level, action, affected, freedBytes, usedBytes, budgetBytes };
    queueMicrotask(() => this.#events.emit("pressure", Object.freeze(event)));
  }
}
