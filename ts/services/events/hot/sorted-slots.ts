import { type Columns, NONE } from "./columns.ts";

/** Slots of a run: a run's insertions move at most so many. */
const RUN_SLOTS_MAX = 512;
const FIRST_RUN_SLOTS = 8;

interface Run {
  slots: Int32Array;
  /** First slot in use, and the one behind the last. */
  start: number;
  end: number;
}

/** Called with slots in order, until it answers false. */
export type Visit = (slot: number) => boolean;

/** Which numbers slots are sorted by. */
export type SortKey = "ids" | "timestamps";

/**
 * Slots sorted by id, or by time and then by id. Events come and go nearly in order, which costs a
 * step at either end; anywhere else it is a binary search and a short move.
 */
export class SortedSlots {
  readonly #columns: Columns;
  readonly #key: SortKey;
  readonly #runs: Run[] = [];
  /** Memory of the last run that was emptied at the front, for the next one at the end. */
  #spare: Int32Array | undefined;
  #size = 0;

  constructor(columns: Columns, key: SortKey) {
    this.#columns = columns;
    this.#key = key;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory of it. Unit: bytes. */
  get bytes(): number {
    let bytes = this.#spare?.byteLength ?? 0;
    for (const { slots } of this.#runs) bytes += slots.byteLength;
    return bytes;
  }

  add(slot: number): void {
    this.#size += 1;
    const last = this.#runs.at(-1);
    if (last === undefined) this.#runs.push(runOf(slot));
    else if (this.#isBefore(last.slots[last.end - 1] as number, slot)) this.#append(last, slot);
    else this.#insert(slot);
  }

  /** Takes a slot out that is in it, while its columns say what they said when it came in. */
  remove(slot: number): void {
    this.#size -= 1;
    const first = this.#runs[0] as Run;
    if (first.slots[first.start] === slot) {
      first.start += 1;
      if (first.start === first.end) this.#dropFirst(first);
      return;
    }
    const number = this.#runOf(slot);
    const run = this.#runs[number] as Run;
    const at = this.#lowerBound(run, slot);
    run.slots.copyWithin(at, at + 1, run.end);
    run.end -= 1;
    if (run.start === run.end) this.#runs.splice(number, 1);
  }

  /** Visits the slots whose key is from `from` to `to`, both inclusive, upwards. */
  upwards(from: number, to: number, visit: Visit): void {
    const keys = this.#columns[this.#key];
    for (let number = this.#firstRunTo(from); number < this.#runs.length; number++) {
      const run = this.#runs[number] as Run;
      const { slots, end } = run;
      for (let at = this.#firstAt(run, from); at < end; at++) {
        const slot = slots[at] as number;
        if ((keys[slot] as number) > to || !visit(slot)) return;
      }
    }
  }

  /** The first slot of a key; {@link NONE} where there is none. */
  find(key: number): number {
    const keys = this.#columns[this.#key];
    const run = this.#runs[this.#firstRunTo(key)];
    if (run === undefined) return NONE;
    const slot = run.slots[this.#firstAt(run, key)] as number;
    return keys[slot] === key ? slot : NONE;
  }

  /** As {@link upwards}, the other way round. */
  downwards(from: number, to: number, visit: Visit): void {
    const keys = this.#columns[this.#key];
    for (let number = this.#lastRunFrom(to); number >= 0; number--) {
      const { slots, start, end } = this.#runs[number] as Run;
      for (let at = end - 1; at >= start; at--) {
        const slot = slots[at] as number;
        const key = keys[slot] as number;
        if (key > to) continue;
        if (key < from || !visit(slot)) return;
      }
    }
  }

  /** About how many slots have keys from `from` to `to`: off by a run at either end. */
  about(from: number, to: number): number {
    let count = 0;
    const last = this.#lastRunFrom(to);
    for (let number = this.#firstRunTo(from); number <= last; number++) {
      const { start, end } = this.#runs[number] as Run;
      count += end - start;
    }
    return count;
  }

  /** Number of the first run that may hold the key; the number of runs where none does. */
  #firstRunTo(key: number): number {
    const keys = this.#columns[this.#key];
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { slots, end } = this.#runs[middle] as Run;
      if ((keys[slots[end - 1] as number] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Number of the last run that may hold the key; -1 where none does. */
  #lastRunFrom(key: number): number {
    const keys = this.#columns[this.#key];
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { slots, start } = this.#runs[middle] as Run;
      if ((keys[slots[start] as number] as number) <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Where in a run the first slot is whose key is not below this one. */
  #firstAt({ slots, start, end }: Run, key: number): number {
    const keys = this.#columns[this.#key];
    let [low, high] = [start, end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((keys[slots[middle] as number] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Number of the first run whose last slot is not before this one. */
  #runOf(slot: number): number {
    let [low, high] = [0, this.#runs.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { slots, end } = this.#runs[middle] as Run;
      if (this.#isBefore(slots[end - 1] as number, slot)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #lowerBound({ slots, start, end }: Run, slot: number): number {
    let [low, high] = [start, end];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isBefore(slots[middle] as number, slot)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #append(run: Run, slot: number): void {
    if (hasRoom(run)) {
      run.slots[run.end++] = slot;
      return;
    }
    this.#runs.push(runOf(slot, this.#spare ?? new Int32Array(RUN_SLOTS_MAX)));
    this.#spare = undefined;
  }

  #dropFirst({ slots }: Run): void {
    this.#runs.shift();
    if (slots.length === RUN_SLOTS_MAX) this.#spare = slots;
  }

  #insert(slot: number): void {
    const number = this.#runOf(slot);
    let run = this.#runs[number] as Run;
    if (!hasRoom(run)) {
      const half = (run.start + run.end) >> 1;
      const upper = { slots: run.slots.slice(half, RUN_SLOTS_MAX), start: 0, end: run.end - half };
      run.end = half;
      this.#runs.splice(number + 1, 0, upper);
      if (this.#isBefore(run.slots[half - 1] as number, slot)) run = upper;
      hasRoom(run);
    }
    const at = this.#lowerBound(run, slot);
    run.slots.copyWithin(at + 1, at, run.end);
    run.slots[at] = slot;
    run.end += 1;
  }

  #isBefore(a: number, b: number): boolean {
    const { ids } = this.#columns;
    if (this.#key === "timestamps") {
      const { timestamps } = this.#columns;
      const difference = (timestamps[a] as number) - (timestamps[b] as number);
      if (difference !== 0) return difference < 0;
    }
    return (ids[a] as number) < (ids[b] as number);
  }
}

function runOf(slot: number, slots: Int32Array = new Int32Array(FIRST_RUN_SLOTS)): Run {
  slots[0] = slot;
  return { slots, start: 0, end: 1 };
}

/** Whether a slot fits behind the last one, after a move or into more memory if it takes that. */
function hasRoom(run: Run): boolean {
  const { slots, start, end } = run;
  if (end < slots.length) return true;
  if (start > slots.length >> 1) {
    slots.copyWithin(0, start, end);
    run.start = 0;
    run.end = end - start;
    return true;
  }
  if (slots.length >= RUN_SLOTS_MAX) return false;
  run.slots = new Int32Array(Math.min(RUN_SLOTS_MAX, slots.length * 2));
  run.slots.set(slots);
  return true;
}
