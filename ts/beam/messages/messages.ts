import type { Pid } from "../../base/pid.ts";
import type { Destination } from "../process-types.ts";
import type { Processes } from "../processes.ts";
import {
  Backpressure,
  type BackpressureCounts,
  type BackpressureOptions,
  type BackpressureReceipt,
} from "./backpressure.ts";
import { OptimizedSender, type OptimizedSendOptions, type SendReceipt } from "./optimized.ts";
import { ReceiverQueues } from "./receiver-queues.ts";
import { analyzeMessageSize, type MessageLimits, type MessageSize } from "./size.ts";

/** What sending costs, and what to do where a receiver is full. For one isolate of a node. */
export class Messages {
  readonly #limits: MessageLimits;
  readonly #queues: ReceiverQueues;
  readonly #backpressure: Backpressure;
  readonly #sender: OptimizedSender;

  constructor(processes: Processes, home: Pid["home"], limits: MessageLimits) {
    this.#limits = limits;
    this.#queues = new ReceiverQueues(processes, home.node);
    this.#backpressure = new Backpressure(this.#queues);
    this.#sender = new OptimizedSender(this.#queues, home);
  }

  /**
   * Encodes a value, once, and says what sending it to a process takes: bytes, copies by
   * destination, ring or slab, and the strategy for {@link sendOptimized}.
   *
   * @throws FoundationError `unencodable`
   */
  analyzeMessageSize(value: unknown): MessageSize {
    return analyzeMessageSize(value, this.#limits);
  }

  /**
   * Sends a message; where its receiver is full, it is dropped, queued or redirected. Messages that
   * are sent so to one receiver on one channel stay in order, also while some wait; a pid and a
   * name are two receivers. A value that waits is not copied: do not change it.
   *
   * @throws FoundationError `invalid_options`, and what `processes.send` throws
   */
  sendWithBackpressure(
    to: Destination,
    message: unknown,
    options: BackpressureOptions = {},
  ): BackpressureReceipt {
    return this.#backpressure.send(to, message, options);
  }

  /**
   * Sends a message by a strategy and resolves with what was copied for it. It is tried before the
   * call returns; only a wait for room takes longer. At most 1,024 wait at one receiver; one more
   * is not accepted.
   *
   * @throws FoundationError `invalid_options` where an option cannot be honoured for this receiver,
   *   `node_left`, and what `processes.send` throws
   */
  async sendOptimized(
    pid: Pid,
    data: unknown,
    options: OptimizedSendOptions = {},
  ): Promise<SendReceipt> {
    return this.#sender.send(pid, data, options);
  }

  /** Counters of {@link sendWithBackpressure}, and how many messages wait at present. */
  counts(): Readonly<BackpressureCounts> & { readonly waiting: number } {
    return { ...this.#backpressure.counts, waiting: this.#queues.size };
  }

  /** The isolate leaves its node: what waits ends with `node_left`. */
  close(): void {
    this.#queues.close();
  }
}
