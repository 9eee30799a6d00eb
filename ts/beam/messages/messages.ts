import type { Pid } from "../../base/pid.ts";
import type { Destination } from "../process-types.ts";
import type { Processes } from "../processes.ts";
import {
  Backpressure,
  type BackpressureCounts,
  type BackpressureOptions,
  type BackpressureReceipt,
} from "./backpressure.ts";
import { Broadcaster, type BroadcastOptions, type BroadcastReport } from "./broadcast.ts";
import { OptimizedSender } from "./optimized.ts";
import type { OptimizedSendOptions, SendReceipt } from "./optimized-types.ts";
import type { Outward } from "./outward.ts";
import { ReceiverQueues } from "./receiver-queues.ts";
import { Sendings } from "./sendings.ts";
import { analyzeMessageSize, type MessageSize } from "./size.ts";

/** What sending costs, and what to do where a receiver is full. For one isolate of a node. */
export class Messages {
  readonly #outward: Outward;
  readonly #queues: ReceiverQueues;
  readonly #backpressure: Backpressure;
  readonly #sender: OptimizedSender;
  readonly #broadcaster: Broadcaster;

  constructor(processes: Processes, home: Pid["home"], outward: Outward) {
    this.#outward = outward;
    this.#queues = new ReceiverQueues(home.node);
    const sendings = new Sendings(processes, outward);
    this.#backpressure = new Backpressure(this.#queues, sendings);
    this.#sender = new OptimizedSender(this.#queues, sendings, outward, home);
    this.#broadcaster = new Broadcaster(processes, outward, home);
  }

  /**
   * Encodes a value, once, and says what sending it to a process takes: bytes, copies by
   * destination, ring or slab, and the strategy for {@link sendOptimized}.
   *
   * @throws FoundationError `unencodable`
   */
  analyzeMessageSize(value: unknown): MessageSize {
    return analyzeMessageSize(value, this.#outward);
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
   * call returns; only a wait for room or credit takes longer. At most 1,024 wait at one receiver;
   * one more is not accepted.
   *
   * @throws FoundationError `invalid_options` where an option cannot be honoured for this receiver,
   *   `unknown_channel`, `timeout`, `aborted`, `binaries_full`, `node_left`, and what
   *   `processes.send` throws
   */
  async sendOptimized(
    pid: Pid,
    data: unknown,
    options: OptimizedSendOptions = {},
  ): Promise<SendReceipt> {
    return this.#sender.send(pid, data, options);
  }

  /**
   * Sends one message to many processes without waiting for any. It is encoded at most once; the
   * receivers of one isolate get the same object by one message, and large ones lie in shared
   * memory once for all isolates of this node. A pid that is named twice gets it twice.
   *
   * @returns how many took it, and who did not and why
   * @throws FoundationError `unencodable`, `invalid_options`, `unknown_channel`, `binaries_full`,
   *   `arena_exhausted`, `node_left`: nothing was sent
   */
  broadcastOptimized(
    pids: readonly Pid[],
    data: unknown,
    options: BroadcastOptions = {},
  ): BroadcastReport {
    return this.#broadcaster.send(pids, data, options);
  }

  /**
   * Bytes in shared memory, once for all who get them by `refCountedBinary`: sending them copies
   * nothing more. They stay while the answer is reachable or others read them; `release` gives this
   * isolate's part back sooner. Nobody writes to them. An isolate holds at most 64 MiB.
   *
   * @throws FoundationError `binaries_full`, `arena_exhausted`, `node_left`
   */
  countBytes(bytes: Uint8Array): Uint8Array {
    return this.#outward.countBytes(bytes);
  }

  /**
   * Lets those who send with `flowControl: "manual"` to a process of this isolate send that many
   * messages more, whoever asks first. In the process itself: `self.grant`.
   *
   * @throws FoundationError `noproc`, `invalid_options`
   */
  grant(pid: Pid, messages: number): void {
    this.#outward.grant(pid, messages);
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
