import { Envelope } from "./envelope.ts";
import type { LightProcess } from "./process.ts";

/**
 * Messages that found a mailbox full and wait for room in it: of timers, and of other isolates,
 * whose credit is not given back meanwhile. So there are no more than timers and the windows of
 * those who sent them.
 */
export class Backlogs {
  readonly #waiting = new Map<LightProcess, unknown[]>();

  /** Messages that wait. */
  get size(): number {
    let size = 0;
    for (const items of this.#waiting.values()) size += items.length;
    return size;
  }

  /**
   * Gives a message to a process, behind those that wait. What it returns, if anything, settles
   * when the message was handled: where it had to wait, or the mailbox's policy is `credit`.
   */
  deliver(
    process: LightProcess,
    kind: "send" | "cast",
    message: unknown,
  ): Promise<void> | undefined {
    const isWaiting = this.#waiting.has(process);
    if (!process.isCreditControlled && !isWaiting) {
      const item = kind === "send" ? message : new Envelope(kind, message);
      if (process.accept(item) || !process.isBlocking) return undefined;
    }
    return new Promise<void>((resolve) => {
      const item = new Envelope(kind, message, undefined, resolve);
      const isTaken = isWaiting ? process.offer(item) : process.accept(item);
      if (!isTaken) this.#wait(process, item);
    });
  }

  /**
   * Gives a signal to a process, behind the messages that wait: whoever sent it may have sent them
   * before.
   */
  signal(process: LightProcess, message: unknown): void {
    const waiting = this.#waiting.get(process);
    if (waiting === undefined) process.signal(message);
    else if (!process.offer(message)) waiting.push(new Signal(message));
  }

  /** Takes the oldest message that `isWanted` out of those that wait. */
  take(
    process: LightProcess,
    isWanted: (item: unknown) => boolean,
  ): { readonly item: unknown } | undefined {
    const waiting = this.#waiting.get(process) ?? [];
    const index = waiting.findIndex((item) => isWanted(contentOf(item)));
    return index < 0 ? undefined : { item: contentOf(waiting.splice(index, 1)[0]) };
  }

  #wait(process: LightProcess, item: Envelope): void {
    const waiting = this.#waiting.get(process);
    if (waiting !== undefined) {
      waiting.push(item);
      return;
    }
    this.#waiting.set(process, [item]);
    void this.#pump(process);
  }

  async #pump(process: LightProcess): Promise<void> {
    const items = this.#waiting.get(process) ?? [];
    while (items.length > 0) {
      await process.runtime.awaitRoom(process);
      while (items.length > 0) {
        const [item] = items;
        if (item instanceof Signal) process.signal(item.message);
        else if (process.isDead) (item as Envelope).settle();
        else if (!process.accept(item)) break;
        items.shift();
      }
    }
    this.#waiting.delete(process);
  }
}

function contentOf(item: unknown): unknown {
  return item instanceof Signal ? item.message : item;
}

class Signal {
  readonly message: unknown;

  constructor(message: unknown) {
    this.message = message;
  }
}
