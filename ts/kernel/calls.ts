import { Wait, type WaitOptions } from "../base/deadline.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";

interface PendingCall {
  readonly wait: Wait<unknown>;
  /** Handle of the peer, or key of the isolate of the own node, that has to answer. */
  peer: number;
}

/** Calls of this isolate that wait for an answer. */
export class Calls {
  readonly #pending = new Map<number, PendingCall>();
  #next = 0;
  /** Answers that came after their call had ended. */
  lateReplies = 0;

  /** Number of calls under way. */
  get size(): number {
    return this.#pending.size;
  }

  /** Opens a call; its number goes with the request. */
  open(
    peer: number,
    target: string,
    options: WaitOptions,
  ): { id: number; promise: Promise<unknown> } {
    do {
      this.#next = (this.#next + 1) >>> 0;
    } while (this.#next === 0 || this.#pending.has(this.#next));
    const id = this.#next;
    const late = (): string => `no answer from ${target} within ${options.timeoutMs} ms`;
    const wait = new Wait<unknown>(options, "timeout", late, () => this.#pending.delete(id));
    if (options.signal?.aborted !== true) this.#pending.set(id, { wait, peer });
    return { id, promise: wait.promise };
  }

  /** Learns who has to answer a call. */
  assign(id: number, peer: number): void {
    const call = this.#pending.get(id);
    if (call !== undefined) call.peer = peer;
  }

  /** Whether a call still waits. */
  isOpen(id: number): boolean {
    return this.#pending.has(id);
  }

  /** Answers a call. */
  resolve(id: number, value: unknown): void {
    this.#take(id)?.wait.resolve(value);
  }

  /** Ends a call with an error. */
  reject(id: number, error: unknown): void {
    this.#take(id)?.wait.reject(error);
  }

  /** Ends a call whose answer nobody wants any more. One that has ended costs nothing. */
  giveUp(id: number): void {
    const call = this.#pending.get(id);
    call?.wait.reject(new FoundationError("aborted", "the call was given up"));
  }

  #take(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) this.lateReplies++;
    return call;
  }

  /** Ends every call: the node is gone, for the reason given. */
  close(reason: FoundationError): void {
    for (const call of [...this.#pending.values()]) call.wait.reject(reason);
  }

  /** Ends every call to a peer that can no longer answer. */
  rejectAll(code: ErrorCode, message: string, peer: number): void {
    for (const call of [...this.#pending.values()]) {
      if (call.peer === peer) call.wait.reject(new FoundationError(code, message));
    }
  }
}
