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

/** The way to one receiver. */
export interface Route {
  /** Tries to send. */
  send(message: unknown): Attempted;
  /** Resolves when another attempt makes sense. */
  drained(): Promise<void>;
}

interface Waiting {
  readonly message: unknown;
  readonly wait: Wait<Attempted>;
}

/** Messages that wait for room at one receiver, in order. */
export class ReceiverQueue {
  readonly #route: Route;
  readonly #onEmpty: () => void;
  readonly #waiting = new Set<Waiting>();
  #isClosed = false;
  #isPumping = false;

  /** `onEmpty` runs once nothing waits any more; the queue is not used afterwards. */
  constructor(route: Route, onEmpty: () => void) {
    this.#route = route;
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
  async add(message: unknown, options: WaitOptions): Promise<Attempted> {
    const late = (): string => `no room for the message within ${options.timeoutMs} ms`;
    const wait = new Wait<Attempted>(options, "timeout", late, () => this.#waiting.delete(item));
    const item: Waiting = { message, wait };
    if (options.signal?.aborted === true) return wait.promise;
    this.#waiting.add(item);
    if (this.#waiting.size === 1) void this.#pump();
    return wait.promise;
  }

  /** Ends all waits with an error. */
  close(error: FoundationError): void {
    this.#isClosed = true;
    for (const { wait } of [...this.#waiting]) wait.reject(error);
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    let hasSent = true;
    while (this.#waiting.size > 0 && !this.#isClosed) {
      try {
        const room = this.#route.drained();
        // The hint of room may be wrong: other work goes on between two attempts.
        await (hasSent ? room : Promise.all([room, turn()]));
      } catch (thrown) {
        this.#fail(thrown);
        break;
      }
      hasSent = this.#sendSome();
    }
    this.#isPumping = false;
    this.#onEmpty();
  }

  #fail(thrown: unknown): void {
    for (const { wait } of [...this.#waiting]) wait.reject(thrown);
  }

  /** Sends what there is room for; false: nothing was accepted. */
  #sendSome(): boolean {
    let hasSent = false;
    for (const item of [...this.#waiting]) {
      const { message, wait } = item;
      if (!this.#waiting.has(item)) continue;
      try {
        const attempted = this.#route.send(message);
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
