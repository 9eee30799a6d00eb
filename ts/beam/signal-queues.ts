import { FoundationError } from "../base/errors.ts";
import type { ClusterNode } from "../kernel/node.ts";
import type { Address } from "../kernel/node-types.ts";
import { describeReason } from "./signals.ts";
import type { Op } from "./wire.ts";

/** Errors of a signal whose reason is no value, or too large for the receiver or the arena. */
const IS_OF_REASON: ReadonlySet<string> = new Set([
  "unencodable",
  "message_too_large",
  "arena_exhausted",
]);

/** What a reason in words is cut to: it fits any ring. */
const REASON_LENGTH_MAX = 200;

/**
 * Signals to other isolates. They are never refused: what finds no room waits here, in order, and
 * until it is gone messages to the same isolate are refused, so that none overtakes it. There are
 * no more of them than links, monitors and calls of `exit`.
 */
export class SignalQueues {
  readonly #node: ClusterNode;
  readonly #waiting = new Map<string, Op[]>();

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  /** Whether signals wait for room on the way to an isolate. */
  isHeldUp(to: Address): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(keyOf(to));
  }

  /** Signals that wait for room. */
  get size(): number {
    let size = 0;
    for (const ops of this.#waiting.values()) size += ops.length;
    return size;
  }

  /** Sends a signal, behind those that wait. */
  send(to: Address, op: Op): void {
    const waiting = this.#waiting.get(keyOf(to));
    if (waiting !== undefined) {
      waiting.push(op);
      return;
    }
    if (this.#try(to, op)) return;
    this.#waiting.set(keyOf(to), [op]);
    void this.#pump(to);
  }

  /** Resolves when no signal waits for room to an isolate. */
  async drained(to: Address): Promise<void> {
    while (this.isHeldUp(to)) await this.#awaitRoom(to);
  }

  async #pump(to: Address): Promise<void> {
    const ops = this.#waiting.get(keyOf(to)) ?? [];
    while (ops.length > 0) {
      await this.#awaitRoom(to);
      while (ops.length > 0 && this.#try(to, ops[0] as Op)) ops.shift();
    }
    this.#waiting.delete(keyOf(to));
  }

  async #awaitRoom(to: Address): Promise<void> {
    try {
      await this.#node.drained({ to: to.node });
    } catch {
      // Gone: the next attempt finds out, and its signals with it.
    }
  }

  /** True: sent, or there is nobody to send it to any more. */
  #try(to: Address, op: Op): boolean {
    try {
      return this.#node.send(to, op);
    } catch (thrown) {
      if (!(thrown instanceof FoundationError)) throw thrown;
      if (!IS_OF_REASON.has(thrown.code)) return true;
      // Only a reason, which comes last, can be anything.
      const text = describeReason(op.at(-1)).slice(0, REASON_LENGTH_MAX);
      if (text === op.at(-1)) return true; // it was in words already
      return this.#try(to, [...op.slice(0, -1), text] as unknown as Op);
    }
  }
}

function keyOf({ node, name }: Address): string {
  return `${node}/${name}`;
}
