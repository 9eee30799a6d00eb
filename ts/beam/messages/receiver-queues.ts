import type { WaitOptions } from "../../base/deadline.ts";
import { Pid } from "../../base/pid.ts";
import { outgoing } from "../../kernel/outgoing.ts";
import type { Destination, ProcessSendOptions } from "../process-types.ts";
import type { Processes } from "../processes.ts";
import { type Attempted, leftError, ReceiverQueue } from "./receiver-queue.ts";

/** The queues in front of full receivers, one for each receiver and channel that has any. */
export class ReceiverQueues {
  readonly #processes: Processes;
  readonly #node: string;
  readonly #queues = new Map<string, ReceiverQueue>();
  #isClosed = false;

  /** `node`: the name of the own node. */
  constructor(processes: Processes, node: string) {
    this.#processes = processes;
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
  send(to: Destination, message: unknown, channel: string | undefined): Attempted {
    if (this.waitingAt(to, channel) > 0) return { accepted: false, copies: 0, copiedBytes: 0 };
    return this.#attempt(to, message, channel);
  }

  #attempt(to: Destination, message: unknown, channel: string | undefined): Attempted {
    const { copies, copiedBytes } = outgoing;
    const accepted = this.#processes.send(to, message, sendOptions(channel));
    return {
      accepted,
      copies: outgoing.copies - copies,
      copiedBytes: outgoing.copiedBytes - copiedBytes,
    };
  }

  /** Puts a message behind those that wait; see {@link ReceiverQueue.add}. */
  async queue(
    to: Destination,
    message: unknown,
    channel: string | undefined,
    options: WaitOptions,
  ): Promise<Attempted> {
    if (this.#isClosed) throw leftError();
    const key = this.#keyOf(to, channel);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      const route = {
        send: (waiting: unknown) => this.#attempt(to, waiting, channel),
        drained: async () => this.#processes.drained(to, sendOptions(channel)),
      };
      queue = new ReceiverQueue(route, () => this.#queues.delete(key));
      this.#queues.set(key, queue);
    }
    return queue.add(message, options);
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

function sendOptions(channel: string | undefined): ProcessSendOptions | undefined {
  return channel === undefined ? undefined : { channel };
}
