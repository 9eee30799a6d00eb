import type { Clock } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { isThenable } from "../../base/thenable.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { LogSink, TelemetrySink } from "../sinks.ts";
import type { CapturedEvent, CaptureSink } from "./capture-types.ts";

/** When a sink whose service is down is asked again. Unit: ms. */
const RETRY_MS = 100;
/** How often it is asked yet when nothing more will come: for five seconds, as for any restart. */
const LAST_RETRIES = 50;

/** What a queue reports to. */
export interface SinkQueueParts {
  readonly sink: CaptureSink;
  readonly clock: Clock;
  readonly telemetry: TelemetrySink;
  readonly log: LogSink;
}

/**
 * Batches on their way to a sink, one after the other. It outlives the process of the service, so
 * that no batch is stored twice and none is forgotten.
 */
export class SinkQueue {
  readonly #parts: SinkQueueParts;
  readonly #batches: (readonly CapturedEvent[])[] = [];
  #isStoring = false;
  #retriesLeft = Number.POSITIVE_INFINITY;
  /** Events that wait. Unit: events. */
  size = 0;
  /** Events that the sink took. Unit: events. */
  stored = 0;
  /** Events that it failed to take. Unit: events. */
  failed = 0;
  /** Called when a batch has gone that was waited for. */
  onRoom: () => void = () => {};

  constructor(parts: SinkQueueParts) {
    this.#parts = parts;
  }

  /** Adds a batch, and gives it to the sink as soon as that has the ones before. */
  push(batch: readonly CapturedEvent[]): void {
    this.#batches.push(batch);
    this.size += batch.length;
    this.#store();
  }

  /** Nothing more will come. A sink that stays down has lost what waits, and is left alone. */
  end(): void {
    this.#retriesLeft = LAST_RETRIES;
  }

  #store(): void {
    while (!this.#isStoring) {
      const batch = this.#batches[0];
      if (batch === undefined) return;
      try {
        const result = this.#parts.sink.storeBatch(batch);
        if (isThenable(result)) this.#await(result);
        else this.#hasStored(result);
      } catch (thrown) {
        this.#hasFailed(thrown);
      }
    }
  }

  #await(result: PromiseLike<number>): void {
    this.#isStoring = true;
    result.then(
      (failed) => this.#goOn(() => this.#hasStored(failed)),
      (thrown: unknown) => this.#goOn(() => this.#hasFailed(thrown)),
    );
  }

  #goOn(settle: () => void): void {
    this.#isStoring = false;
    settle();
    this.#store();
    this.onRoom();
  }

  #hasStored(failed: number): void {
    this.stored += this.#shift() - failed;
    if (failed > 0) this.#tellFailed(failed, undefined);
  }

  #hasFailed(thrown: unknown): void {
    const isDown = thrown instanceof FoundationError && thrown.code === "service_unavailable";
    if (isDown && this.#retriesLeft-- > 0) {
      // Its process is about to be started again, and will want what it could not take.
      this.#isStoring = true;
      this.#parts.clock.after(RETRY_MS, () => this.#goOn(() => {}));
      return;
    }
    this.#tellFailed(this.#shift(), thrown);
  }

  #tellFailed(events: number, thrown: unknown): void {
    const { log, telemetry } = this.#parts;
    this.failed += events;
    const facts = { events, ...(thrown !== undefined && { error: thrownText(thrown) }) };
    log.log("error", "captured events were lost: their sink failed", facts);
    telemetry.execute(["foundation", "capture", "sink_failed"], { counter: events }, {});
  }

  #shift(): number {
    const events = this.#batches.shift()?.length ?? 0;
    this.size -= events;
    return events;
  }
}
