import { ManualClock } from "../../dist/ts/base/manual-clock.js";
import type { CapturedEvent } from "../../dist/ts/index.js";
import type { CaptureOutcome, CaptureRecord } from "../../dist/ts/kernel/capture-ring.js";
import { CaptureCore, type CaptureParts } from "../../dist/ts/services/capture/capture-core.js";

/** A ring of plain arrays, which does what the core's does. */
export class PlainRing {
  readonly plan = { recordBytesMax: 64 };
  readonly records: CaptureRecord[] = [];
  armedFor = 0;
  dropped = 0;
  isAwaited = false;
  roomFor = Number.POSITIVE_INFINITY;
  onWake: () => void = () => {};
  #sequence = 0;

  write(value: object): CaptureOutcome {
    if (JSON.stringify(value).length > this.plan.recordBytesMax) return "too_large";
    if (this.records.length >= this.roomFor) return "full";
    this.records.push({ timestampMs: 1, sequence: this.#sequence++, value });
    if (this.armedFor > 0 && this.records.length >= this.armedFor) {
      this.armedFor = 0;
      this.onWake();
    }
    return "written";
  }

  awaitSpace(): boolean {
    this.isAwaited = true;
    return this.records.length >= this.roomFor;
  }

  countDropped(): void {
    this.dropped++;
  }

  read(recordsMax: number): CaptureRecord[] {
    return this.records.splice(0, recordsMax);
  }

  get unread(): number {
    return this.records.length;
  }

  arm(records: number): boolean {
    const isIdle = this.records.length < records;
    this.armedFor = isIdle ? records : 0;
    return isIdle;
  }
}

/** A core over such a ring, with settings that a test changes. */
export class CaptureScene {
  readonly clock = new ManualClock();
  readonly ring = new PlainRing();
  readonly processing: Record<string, unknown> = {
    ...{ batchSize: 3, flushInterval: 50, maxQueueSize: 6 },
  };
  readonly logged: string[] = [];
  readonly told: unknown[] = [];
  core: CaptureCore;
  readonly #parts: CaptureParts;

  constructor(sink?: CaptureParts["sink"]) {
    this.#parts = {
      ring: this.ring,
      clock: this.clock,
      sink,
      config: { getWithDefault: () => this.processing },
      log: { log: (_level, message) => void this.logged.push(message) },
      telemetry: { execute: (name, measurements) => void this.told.push([name, measurements]) },
    };
    this.core = new CaptureCore(this.#parts);
    this.clock.advance(0);
    this.ring.onWake = () => this.core.wake();
  }

  /** The service's process was killed and started again. */
  restart(): void {
    this.core.stop();
    this.core = new CaptureCore(this.#parts, this.core);
    this.clock.advance(0);
  }

  record(...types: string[]): void {
    for (const type of types) this.ring.write([type]);
  }
}

/** The types of each batch, one after the other. */
export const typesOf = (batches: readonly (readonly CapturedEvent[])[]): string[] =>
  batches.map((batch) => batch.map(({ type }) => type).join(""));
