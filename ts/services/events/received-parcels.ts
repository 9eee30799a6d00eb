import { FoundationError } from "../../base/errors.ts";
import type { EventParcel } from "./event-wire.ts";

/** Senders that are remembered: as many as a node has isolates. Whoever was silent longest goes. */
const SENDERS_MAX = 1_024;

interface Received {
  readonly number: number;
  /** Resolves when the events are stored and, where there is a durable log, that has them. */
  readonly stored: Promise<unknown>;
}

/**
 * The last parcel of each sender. One that comes again, since its sender never heard what became of
 * it, is not stored again: its sender gets the answer of the first.
 */
export class ReceivedParcels {
  readonly #last = new Map<string, Received>();

  /** Stores a parcel, unless that was done; settles as its storing does. */
  async receive(parcel: Omit<EventParcel, "events">, store: () => Promise<unknown>): Promise<void> {
    const { sender, number } = parcel;
    let received = this.#last.get(sender);
    if (received?.number !== number) received = { number, stored: store() };
    this.#remember(sender, received);
    try {
      await received.stored;
    } catch (thrown) {
      // Nothing of it is stored: when it comes again, it is as new.
      if (isDown(thrown) && this.#last.get(sender) === received) this.#last.delete(sender);
      throw thrown;
    }
  }

  #remember(sender: string, received: Received): void {
    this.#last.delete(sender);
    this.#last.set(sender, received);
    if (this.#last.size <= SENDERS_MAX) return;
    for (const silent of this.#last.keys()) {
      this.#last.delete(silent);
      return;
    }
  }
}

/** Whether the store refused since it was away. */
function isDown(thrown: unknown): boolean {
  return thrown instanceof FoundationError && thrown.numericCode === 3000;
}
