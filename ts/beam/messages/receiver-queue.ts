import { setImmediate as turn } from "node:timers/promises";
import { Wait, type WaitOptions } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";

/** What one attempt to send has done. */
export interface Attempted {
  readonly accepted: boolean;
  /** Copies of the message that this isolate has made. */
  readonly copies: number;
  /** Of those. Unit: bytes. */
  readonly copiedBytes: number;
}

/** A message on its way to a receiver. */
export interface Sending {
  /** Tries to send it. */
  send(): Attempted;
  /** Resolves when another attempt makes sense. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly sending: Sending;
  readonly wait: Wait<Attempted>;
}

/** Messages that wait for room at one receiver, in order. */
export class ReceiverQueue {
  readonly #onEmpty: () => void;
  readonly #waiting = new Set<Waiting>();
  #isClosed = false;
  #isPumping = false;
  #onHeadGone: () => void = () => {};

  /** `onEmpty` runs once nothing waits any more; the queue is not used afterwards. */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Puts a message behind the others. Resolves when it was accepted.
   *
   * @throws FoundationError `timeout`, `aborted`, `node_left`, and what sending it throws
   */
  async add(sending: Sending, options: WaitOptions): Promise<Attempted> {
    const late = (): string => `no room for the message within ${options.timeoutMs} ms`;
    const wait = new Wait<Attempted>(options, "timeout", late, () => this.#remove(item));
    const item: Waiting = { sending, wait };
    if (options.signal?.aborted === true) return wait.promise;
    this.#waiting.add(item);
    if (this.#waiting.size === 1) void this.#pump();
    return wait.promise;
  }

  #remove(item: Waiting): void {
    const wasHead = this.#head() === item;
    this.#waiting.delete(item);
    if (wasHead) this.#onHeadGone();
  }

  /** Ends all waits with an error. */
  close(error: FoundationError): void {
    this.#isClosed = true;
    for (const { wait } of [...this.#waiting]) wait.reject(error);
    this.#onHeadGone();
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let hasSent = true;
    for (let head = this.#head(); head !== undefined; head = this.#head()) {
      try {
        await this.#room(head, !hasSent);
      } catch (thrown) {
        this.#fail(thrown);
        break;
      }
      hasSent = this.#sendSome();
    }
    this.#isPumping = false;
    this.#onEmpty();
  }

  /** What waits longest. */
  #head(): Waiting | undefined {
    const [head] = this.#waiting;
    return this.#isClosed ? undefined : head;
  }

  /** Resolves when it makes sense to try again, or the first one waits no more. */
  async #room({ sending }: Waiting, isAfterFailure: boolean): Promise<void> {
    const headGone = new Promise<void>((resolve) => {
      this.#onHeadGone = resolve;
    });
    const room = sending.drained();
    // The hint of room may be wrong: other work goes on between two attempts.
    await Promise.race([headGone, isAfterFailure ? Promise.all([room, turn()]) : room]);
  }

  #fail(thrown: unknown): void {
    for (const { wait } of [...this.#waiting]) wait.reject(thrown);
  }

  /** Sends what there is room for; false: nothing was accepted. */
  #sendSome(): boolean {
    let hasSent = false;
    for (const item of [...this.#waiting]) {
      const { sending, wait } = item;
      if (!this.#waiting.has(item)) continue;
      try {
        const attempted = sending.send();
        if (!attempted.accepted) return hasSent;
        wait.resolve(attempted);
      } catch (thrown) {
        wait.reject(thrown);
      }
      hasSent = true;
    }
    return hasSent;
  }
}

/** Why what waits is not sent any more. */
export function leftError(): FoundationError {
  return new FoundationError("node_left", "the isolate has left its node");
}
