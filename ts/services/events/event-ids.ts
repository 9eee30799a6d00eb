/** Ids begin to count here: 2026. Unit: ms since 1970. */
const EPOCH_MS = 1_767_225_600_000;
/** Isolates of a node: the least part of an id says which one gave it out. */
const ISOLATES_MAX = 1_024;
/** How far ahead of now an id may be to be taken for one that a clock gave out. Unit: steps. */
const AHEAD_MAX = 2 ** 38;
/** Ids of one isolate and millisecond; more of them are borrowed from the time to come. */
const PER_MS = 8;

/**
 * Ids for the events of one isolate: those of two isolates of a node never meet, and they grow with
 * time, also over restarts. They fit a number until 2060.
 */
export class EventIds {
  readonly #isolate: number;
  readonly #wallNow: () => number;
  #step = 0;

  /** `isolate`: its place among those of its node, below 1,024. `wallNow`: ms since 1970. */
  constructor(isolate: number, wallNow: () => number) {
    this.#isolate = isolate % ISOLATES_MAX;
    this.#wallNow = wallNow;
  }

  /** An id that nobody has, above all that were given out or heard of here. `now`: as wallNow. */
  next(now = this.#wallNow()): number {
    this.#step = Math.max(this.#step + 1, stepOf(now));
    return this.#idOf(this.#step);
  }

  /** The least that {@link next} may answer. */
  peek(): number {
    return this.#idOf(Math.max(this.#step + 1, stepOf(this.#wallNow())));
  }

  /**
   * An id is in use that this isolate may not have given out: the next ones are above it. One that
   * is more than a year ahead somebody made up: it must not use up all numbers.
   */
  raise(id: number): void {
    const step = Math.floor(id / ISOLATES_MAX);
    if (step > this.#step && step - stepOf(this.#wallNow()) <= AHEAD_MAX) this.#step = step;
  }

  #idOf(step: number): number {
    return step * ISOLATES_MAX + this.#isolate;
  }
}

function stepOf(wallMs: number): number {
  return Math.max(1, Math.floor((wallMs - EPOCH_MS) * PER_MS));
}
