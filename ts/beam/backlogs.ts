import { Envelope, type Fate, noProcessError } from "./envelope.ts";
import { Mailbox } from "./mailbox.ts";
import type { LightProcess } from "./process.ts";

/**
 * What found a mailbox full and waits for room in it: messages of timers, and of other isolates,
 * whose credit is not given back meanwhile. So there is no more of it than timers and the windows
 * of those who sent it. Where something waits, the mailbox is full: who sends after it is refused.
 */
export class Backlogs {
  readonly #waiting = new Map<LightProcess, Mailbox>();
  /** Those whose messages are going in right now. */
  readonly #entering = new Set<LightProcess>();

  /** Messages that wait. */
  get size(): number {
    let size = 0;
    for (const items of this.#waiting.values()) size += items.size;
    return size;
  }

  /** Messages that wait for room in one mailbox. */
  sizeOf(process: LightProcess): number {
    return this.#waiting.get(process)?.size ?? 0;
  }

  /**
   * Gives a message to a process, behind those that wait. What it returns, if anything, settles
   * when the message was handled: where it had to wait, or the mailbox's policy is `credit`.
   */
  deliver(
    process: LightProcess,
    kind: "send" | "cast",
    message: unknown,
    fate?: Fate,
  ): Promise<void> | undefined {
    const isWaiting = this.#waiting.has(process);
    if (!process.isCreditControlled && !isWaiting) {
      const isPlain = kind === "send" && fate === undefined;
      const item = isPlain ? message : new Envelope(kind, message, undefined, fate);
      if (process.accept(item)) return undefined;
      if (!process.isBlocking) return lose(item);
    }
    return new Promise<void>((resolve) => {
      const item = new Envelope(kind, message, undefined, settling(fate, resolve));
      const isTaken = isWaiting ? process.offer(item) : process.accept(item);
      if (!isTaken) this.#wait(process, item);
    });
  }

  /** Gives a call of another isolate to a process, behind the messages that wait. */
  call(process: LightProcess, call: Envelope): void {
    if (this.#waiting.has(process) || !process.accept(call)) this.#wait(process, call);
  }

  /**
   * Gives a signal to a process, behind the messages that wait: whoever sent it may have sent them
   * before.
   */
  signal(process: LightProcess, message: unknown): void {
    if (!this.#waiting.has(process)) process.signal(message);
    else if (!process.offer(message)) this.#wait(process, new Signal(message));
  }

  /** Takes the oldest message that `isWanted` out of those that wait. */
  take(
    process: LightProcess,
    isWanted: (item: unknown) => boolean,
  ): { readonly item: unknown } | undefined {
    const waiting = this.#waiting.get(process);
    const taken = waiting?.take((item) => isWanted(contentOf(item)));
    if (taken === undefined) return undefined;
    if (waiting?.size === 0 && !this.#entering.has(process)) this.#waiting.delete(process);
    return { item: contentOf(taken.item) };
  }

  /** A mailbox has room, or its process is gone: what waits goes in, as far as it can. */
  refill(process: LightProcess): void {
    const waiting = this.#waiting.get(process);
    if (waiting === undefined || this.#entering.has(process)) return;
    this.#entering.add(process);
    while (waiting.size > 0) {
      const { first } = waiting;
      if (!enter(process, first)) break;
      // The process's own `match` has seen it, and may have flushed it or others.
      waiting.take((item) => item === first);
    }
    this.#entering.delete(process);
    if (waiting.size === 0) this.#waiting.delete(process);
  }

  #wait(process: LightProcess, item: unknown): void {
    const waiting = this.#waiting.get(process) ?? new Mailbox();
    this.#waiting.set(process, waiting);
    waiting.push(item);
  }
}

/** False: there is no room for it. */
function enter(process: LightProcess, item: unknown): boolean {
  if (process.isDead) {
    if (item instanceof Envelope) {
      item.lose();
      item.fail(noProcessError(process.pid.toString()));
    }
    return true;
  }
  if (!(item instanceof Signal)) return process.accept(item);
  process.signal(item.message);
  return true;
}

function contentOf(item: unknown): unknown {
  return item instanceof Signal ? item.message : item;
}

function settling(fate: Fate | undefined, settled: () => void): Fate {
  if (fate === undefined) return { settled };
  const both = (): void => {
    settled();
    fate.settled?.();
  };
  return { ...fate, settled: both };
}

/** The mailbox's policy has lost it. */
function lose(item: unknown): undefined {
  if (item instanceof Envelope) item.lose();
}

class Signal {
  readonly message: unknown;

  constructor(message: unknown) {
    this.message = message;
  }
}
