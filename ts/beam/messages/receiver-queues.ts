import type { WaitOptions } from "../../base/deadline.ts";
import { Pid } from "../../base/pid.ts";
import type { Destination } from "../process-types.ts";
import { type Attempted, leftError, ReceiverQueue, type Sending } from "./receiver-queue.ts";
import { NOT_COPIED } from "./sendings.ts";

/** The queues in front of full receivers, one for each receiver and channel that has any. */
export class ReceiverQueues {
  readonly #node: string;
  readonly #queues = new Map<string, ReceiverQueue>();
  #isClosed = false;

  /** `node`: the name of the own node. */
  constructor(node: string) {
    this.#node = node;
  }

  /** Messages that wait, at all receivers. */
  get size(): number {
    let size = 0;
    for (const queue of this.#queues.values()) size += queue.size;
    return size;
  }

  /** Messages that wait at a receiver. */
  waitingAt(to: Destination, channel: string | undefined): number {
    return this.#queues.get(this.#keyOf(to, channel))?.size ?? 0;
  }

  /** Sends now unless others wait for the same receiver, and counts what was copied. */
  send(to: Destination, channel: string | undefined, sending: Sending): Attempted {
    if (this.waitingAt(to, channel) > 0) return { accepted: false, ...NOT_COPIED };
    return sending.send();
  }

  /** Puts a message behind those that wait; see {@link ReceiverQueue.add}. */
  async queue(
    to: Destination,
    channel: string | undefined,
    sending: Sending,
    options: WaitOptions,
  ): Promise<Attempted> {
    if (this.#isClosed) throw leftError();
    const key = this.#keyOf(to, channel);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new ReceiverQueue(() => this.#queues.delete(key));
      this.#queues.set(key, queue);
    }
    return queue.add(sending, options);
  }

  /** The isolate leaves its node: what waits ends with `node_left`. */
  close(): void {
    this.#isClosed = true;
    for (const queue of this.#queues.values()) queue.close(leftError());
  }

  #keyOf(to: Destination, channel = "default"): string {
    if (to instanceof Pid) return `${to}${channel}`;
    const { node, name } = typeof to === "string" ? { node: this.#node, name: to } : to;
    return `${JSON.stringify([node, name])}${channel}`;
  }
}
