/** No slot: the end of a list, or nothing found. */
export const NONE = -1;

const FIRST_SLOTS = 1_024;

/**
 * What the hot store knows of each of its events, by slot, apart from their bytes. Columns of
 * numbers: they cost what they hold, and the garbage collector has nothing to look at.
 */
export class Columns {
  ids = new Float64Array(FIRST_SLOTS);
  timestamps = new Float64Array(FIRST_SLOTS);
  /** Where its bytes are: chunk, position and length. */
  chunks = new Int32Array(FIRST_SLOTS);
  starts = new Int32Array(FIRST_SLOTS);
  lengths = new Int32Array(FIRST_SLOTS);
  /** Number of its type. */
  types = new Int32Array(FIRST_SLOTS);
  /** Hash of its correlation id. */
  hashes = new Int32Array(FIRST_SLOTS);
  /** Neighbours in the order of storing. In a free slot, `newer` is the next free one. */
  older = new Int32Array(FIRST_SLOTS);
  newer = new Int32Array(FIRST_SLOTS);
  /** Neighbours in the chain of its hash. */
  chainPrevious = new Int32Array(FIRST_SLOTS);
  chainNext = new Int32Array(FIRST_SLOTS);
  #capacity = FIRST_SLOTS;
  #used = 0;
  #free = NONE;

  /** Slots that there are, free or not. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Memory of all columns. Unit: bytes. */
  get bytes(): number {
    return this.#capacity * (2 * 8 + 9 * 4);
  }

  /** A slot that nobody uses; its columns hold anything. */
  take(): number {
    const slot = this.#free;
    if (slot !== NONE) {
      this.#free = this.newer[slot] as number;
      return slot;
    }
    if (this.#used === this.#capacity) this.#grow();
    return this.#used++;
  }

  /** Gives a slot back. */
  release(slot: number): void {
    this.newer[slot] = this.#free;
    this.#free = slot;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.ids = doubled(this.ids, Float64Array);
    this.timestamps = doubled(this.timestamps, Float64Array);
    this.chunks = doubled(this.chunks, Int32Array);
    this.starts = doubled(this.starts, Int32Array);
    this.lengths = doubled(this.lengths, Int32Array);
    this.types = doubled(this.types, Int32Array);
    this.hashes = doubled(this.hashes, Int32Array);
    this.older = doubled(this.older, Int32Array);
    this.newer = doubled(this.newer, Int32Array);
    this.chainPrevious = doubled(this.chainPrevious, Int32Array);
    this.chainNext = doubled(this.chainNext, Int32Array);
  }
}

function doubled<Column extends Float64Array | Int32Array>(
  column: Column,
  make: new (length: number) => Column,
): Column {
  const larger = new make(column.length * 2);
  larger.set(column);
  return larger;
}
