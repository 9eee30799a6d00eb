import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { BatchListener, CaptureCore } from "./capture-core.ts";
import { type CaptureConfigReader, tracingOf } from "./capture-settings.ts";
import type { CaptureStats, RecordOptions, RecordWaitOptions } from "./capture-types.ts";
import { CaptureWriter } from "./capture-writer.ts";
import { type NodeRings, unreadOf } from "./node-rings.ts";
import { type TraceableProcesses, type TraceOptions, Tracing } from "./tracing.ts";

/** What the capture of an isolate works with. */
export interface CaptureFacadeParts {
  readonly slot: ServiceSlot<CaptureCore>;
  readonly rings: NodeRings;
  /** Whether this isolate has started the node: what is captured is handed out here. */
  readonly isRoot: boolean;
  readonly processes: TraceableProcesses & { self(): Pid | undefined };
  readonly config: CaptureConfigReader;
  /** Longest wait for room unless options say otherwise. Unit: ms. */
  readonly waitMs: () => number;
}

/**
 * Takes down what happens, from any isolate of a node, at the price of a call: events go through
 * rings of the core, which the isolate that has started the node empties in batches.
 */
export class Capture {
  readonly #parts: CaptureFacadeParts;
  readonly #writer: CaptureWriter;
  readonly #tracing: Tracing;
  #traceFailures = 0;
  #isClosed = false;

  constructor(parts: CaptureFacadeParts) {
    const { rings, processes, config, waitMs } = parts;
    this.#parts = parts;
    this.#writer = new CaptureWriter(rings, () => processes.self(), waitMs);
    const record = (type: string, data: object, pid: Pid): void => this.#traced(type, data, pid);
    this.#tracing = new Tracing(processes, record, () => tracingOf(config));
    rings.onWake = () => this.#wake();
  }

  #wake(): void {
    const { slot } = this.#parts;
    if (slot.isUp) slot.core.wake();
    this.#writer.letIn();
  }

  /**
   * Records an event. Never waits; a process that is killed meanwhile has recorded it, or not. Goes
   * on while the service is being started again.
   *
   * @returns whether it was taken. False: there was no room; with `drop_newest` it is lost and
   *   counted, with `block` it is the caller's to record again, or with {@link recordOrWait}.
   * @throws FoundationError `invalid_options`, `capture_record_too_large`, `unencodable`,
   *   `node_left`
   */
  record(type: string, data?: unknown, options?: RecordOptions): boolean {
    return this.#writer.record(type, data, options);
  }

  /**
   * Records an event; with `block`, when there is room. No thread waits, only whoever awaits this.
   *
   * @returns whether it was taken: false with `drop_newest` where there was no room
   * @throws FoundationError `capture_full` where there was no room in time, and `aborted`: then it
   *   is lost, and counted; what {@link record} throws
   */
  async recordOrWait(type: string, data?: unknown, options?: RecordWaitOptions): Promise<boolean> {
    return this.#writer.recordOrWait(type, data, options);
  }

  /**
   * Calls a function with each batch of events, oldest first, until the returned function is
   * called. It should be quick: nobody waits for what it returns.
   *
   * @throws FoundationError `not_root_isolate` where this isolate has not started the node,
   *   `service_unavailable` (28700)
   */
  subscribe(listener: BatchListener): Unsubscribe {
    this.#checkRoot();
    return this.#parts.slot.core.subscribe(listener);
  }

  /**
   * Hands out what was recorded so far without waiting for a batch or the flush interval; resolves
   * when the sink has it. Where nobody wants it, it stays.
   *
   * @throws FoundationError as {@link subscribe}; `service_unavailable` also where the service ends
   *   before the sink has everything
   */
  async flush(): Promise<void> {
    this.#checkRoot();
    return this.#parts.slot.core.flush();
  }

  /**
   * Records what the light processes of this isolate do, until the returned function is called:
   * `process_spawn`, `process_exit`, `message_receive`. What is not said is by
   * `capture.vmTracing`. Nothing is paid where nobody traces. A process that gets captured events
   * as messages must not be one whose messages are traced.
   *
   * @throws FoundationError `invalid_options`, `noproc` for a process of elsewhere,
   *   `trace_under_way`
   */
  trace(options?: TraceOptions): Unsubscribe {
    return this.#tracing.trace(options);
  }

  /**
   * Figures of the rings, of all isolates together.
   *
   * @throws FoundationError `node_left`
   */
  stats(): CaptureStats {
    const { rings, slot, isRoot } = this.#parts;
    const counts = rings.counts();
    const { writePosition, readPosition, writes, reads, dropped } = counts;
    return {
      ...{ writePosition, readPosition, dropped, rings: rings.plan },
      totalWrites: writes,
      totalReads: reads,
      unread: unreadOf(counts),
      traceFailures: this.#traceFailures,
      processing: isRoot ? slot.present?.processing : undefined,
    };
  }

  /** Whether what is recorded is handed out. Recording goes on in any case. */
  available(): boolean {
    return !this.#isClosed && (!this.#parts.isRoot || this.#parts.slot.isUp);
  }

  #checkRoot(): void {
    if (this.#parts.isRoot) return;
    const text = "captured events are handed out in the isolate that has started the node";
    throw new FoundationError("not_root_isolate", text);
  }

  /** An event of a trace; whoever is traced is not told where it fails. */
  #traced(type: string, data: object, pid: Pid): void {
    try {
      if (this.#writer.record(type, data, { pid })) return;
      this.#traceFailures++;
    } catch {
      this.#traceFailures++;
    }
  }

  /** Lets go of the rings; whoever waits is told. */
  close(): void {
    this.#isClosed = true;
    this.#tracing.close();
    this.#writer.close();
    this.#parts.rings.close();
  }
}
