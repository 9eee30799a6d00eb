import { Envelope } from "./envelope.ts";
import type { LightProcess } from "./process.ts";

/**
 * Messages of other isolates that found a mailbox full. Their credit is not given back while they
 * wait, so their number is bounded by the windows of those who sent them.
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
  deliver(process: LightProcess, kind: "send" | "cast", message: unknown): unknown {
    const waiting = this.#waiting.get(process);
    if (process.isCreditControlled) {
      return new Promise<void>((resolve) => {
        const item = new Envelope(kind, message, undefined, resolve);
        if (waiting === undefined && process.accept(item)) return;
        this.#wait(process, item);
      });
    }
    const item = kind === "send" ? message : new Envelope(kind, message);
    if (waiting === undefined && (process.accept(item) || !process.isBlocking)) return undefined;
    return new Promise<void>((resolve) => {
      this.#wait(process, new Envelope(kind, message, undefined, resolve));
    });
  }

  /** Gives a message of the runtime to a process, behind those that came before it. */
  signal(process: LightProcess, message: unknown): void {
    const waiting = this.#waiting.get(process);
    if (waiting === undefined) process.signal(message);
    else waiting.push(new Signal(message));
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

class Signal {
  readonly message: unknown;

  constructor(message: unknown) {
    this.message = message;
  }
}
