import { decodePacked, encodeValue } from "../../kernel/values.ts";
import { Ranges } from "./ranges.ts";

/** What all schedulers of a job share of it. */
export interface JobBlocks {
  readonly ranges: SharedArrayBuffer;
  /** One word: whether the job is given up. */
  readonly flags: SharedArrayBuffer;
  /** A word a scheduler: the item under way plus one, 0 for none. */
  readonly current: SharedArrayBuffer;
  /** A double a scheduler: when that item began. Unit: ms of the wall clock. */
  readonly begun: SharedArrayBuffer;
  /** Where each item starts in `items`, and where the last one ends. Unit: bytes. */
  readonly offsets: SharedArrayBuffer;
  readonly items: SharedArrayBuffer;
}

/** The items of a job, encoded once, and who works on which of them. */
export class JobMemory {
  readonly blocks: JobBlocks;
  readonly ranges: Ranges;
  readonly #flags: Int32Array;
  readonly #current: Int32Array;
  readonly #begun: Float64Array;
  readonly #offsets: Float64Array;
  readonly #items: Uint8Array;

  constructor(blocks: JobBlocks) {
    this.blocks = blocks;
    this.#current = new Int32Array(blocks.current);
    this.ranges = new Ranges(this.#current.length, blocks.ranges);
    this.#flags = new Int32Array(blocks.flags);
    this.#begun = new Float64Array(blocks.begun);
    this.#offsets = new Float64Array(blocks.offsets);
    this.#items = new Uint8Array(blocks.items);
  }

  /**
   * Encodes items for schedulers and deals them out.
   *
   * @throws FoundationError `unencodable`
   */
  static of(items: readonly unknown[], schedulers: number): JobMemory {
    const encoded = items.map((item) => Uint8Array.from(encodeValue([item]).bytes));
    const offsets = new Float64Array(new SharedArrayBuffer(8 * (items.length + 1)));
    encoded.forEach((bytes, index) => {
      offsets[index + 1] = (offsets[index] as number) + bytes.length;
    });
    const all = new Uint8Array(new SharedArrayBuffer(offsets[items.length] as number));
    encoded.forEach((bytes, index) => {
      all.set(bytes, offsets[index]);
    });
    const ranges = new Ranges(schedulers);
    ranges.deal(items.length);
    return new JobMemory({
      ranges: ranges.memory,
      flags: new SharedArrayBuffer(4),
      current: new SharedArrayBuffer(4 * schedulers),
      begun: new SharedArrayBuffer(8 * schedulers),
      offsets: offsets.buffer,
      items: all.buffer,
    });
  }

  /** A copy of an item. */
  item(index: number): unknown {
    const bytes = this.#items.slice(this.#offsets[index], this.#offsets[index + 1]);
    return (decodePacked(bytes) as unknown[])[0];
  }

  get isGivenUp(): boolean {
    return Atomics.load(this.#flags, 0) !== 0;
  }

  /** Has schedulers take no more of its items. */
  giveUp(): void {
    Atomics.store(this.#flags, 0, 1);
  }

  /** A scheduler begins with an item. */
  begin(scheduler: number, index: number): void {
    this.#begun[scheduler] = wallMs();
    Atomics.store(this.#current, scheduler, index + 1);
  }

  /** A scheduler has told of the item that it had begun with, or is gone. */
  finish(scheduler: number): void {
    Atomics.store(this.#current, scheduler, 0);
  }

  /** The item that a scheduler is at, and for how long; undefined where it is at none. */
  under(scheduler: number): { readonly index: number; readonly forMs: number } | undefined {
    const current = Atomics.load(this.#current, scheduler);
    if (current === 0) return undefined;
    return { index: current - 1, forMs: wallMs() - (this.#begun[scheduler] as number) };
  }
}

/** The same in every isolate of the process, unlike `performance.now()`. */
function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
