/** Messages run in one go before timers and I/O get their turn. */
const BATCH_MESSAGES = 256;
/** Messages that may wait; above, sending to the own isolate is refused. */
const WAITING_MAX = 65_536;

/** Work of an isolate for itself: messages to its own names, without encoding. */
export class LocalMailbox {
  #queue: (() => void)[] = [];
  /** Place of the oldest message that has not run. */
  #next = 0;
  #isPlanned = false;
  #onRoom: () => void;

  /** `onRoom` is called whenever the mailbox was emptied. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom;
  }

  /** Whether another message would be taken. */
  get hasRoom(): boolean {
    return this.size < WAITING_MAX;
  }

  /** Number of messages that wait. */
  get size(): number {
    return this.#queue.length - this.#next;
  }

  /** Adds a message; false where too many wait. It runs after the present code, in order. */
  push(run: () => void): boolean {
    if (!this.hasRoom) return false;
    this.#queue.push(run);
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      queueMicrotask(this.#drain);
    }
    return true;
  }

  readonly #drain = (): void => {
    const end = Math.min(this.#queue.length, this.#next + BATCH_MESSAGES);
    while (this.#next < end) {
      const run = this.#queue[this.#next++] as () => void;
      run();
    }
    if (this.#next < this.#queue.length) {
      setImmediate(this.#drain);
      return;
    }
    this.#queue = [];
    this.#next = 0;
    this.#isPlanned = false;
    this.#onRoom();
  };
}
