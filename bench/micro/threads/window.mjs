/**
 * A bound on messages in flight for rivals that have none of their own: without it a sender fills
 * the other thread's queue without end, and the figure would be that of a growing heap. Wide enough
 * that the sender seldom waits, and a wait is a sleep on the counter, not a spin.
 */

const IN_FLIGHT_MAX = 16_384;
const ACKNOWLEDGE_EVERY = 1024;

/** The sender's half: it blocks its thread. */
export class SendWindow {
  #taken;
  #takenSeen = 0;

  /** @param {SharedArrayBuffer} memory */
  constructor(memory) {
    this.#taken = new Int32Array(memory);
  }

  /**
   * Returns once message number `sequence` may be sent.
   *
   * @param {number} sequence
   */
  await(sequence) {
    while (sequence - this.#takenSeen >= IN_FLIGHT_MAX) {
      const taken = Atomics.load(this.#taken, 0);
      if (taken === this.#takenSeen) Atomics.wait(this.#taken, 0, taken);
      this.#takenSeen = taken;
    }
  }
}

/** Counts for the receiving thread and wakes a sender that sleeps on the bound. */
export class TakeWindow {
  #taken;

  /** @param {SharedArrayBuffer} memory */
  constructor(memory) {
    this.#taken = new Int32Array(memory);
  }

  /**
   * Counts; tells the sender from time to time.
   *
   * @param {number} received messages taken so far
   */
  took(received) {
    if (received % ACKNOWLEDGE_EVERY !== 0) return;
    Atomics.store(this.#taken, 0, received);
    Atomics.notify(this.#taken, 0);
  }
}
