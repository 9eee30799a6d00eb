import { Wait } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkDelay, checkKeys, checkKind } from "../../base/option-checks.ts";
import { Pid } from "../../base/pid.ts";
import type { CaptureOutcome, CaptureRingPlan } from "../../kernel/capture-ring.ts";
import { packEvent } from "./capture-record.ts";
import type { RecordOptions, RecordWaitOptions } from "./capture-types.ts";

/** The rings as a writer uses them. */
export interface WritableRing {
  readonly plan: Pick<CaptureRingPlan, "recordBytesMax">;
  write(value: object): CaptureOutcome;
  awaitSpace(): boolean;
  countDropped(): void;
}

const TEXT_LENGTH_MAX = 255;
const TEXT = `a text of 1 to ${TEXT_LENGTH_MAX} characters`;
const NO_OPTIONS: RecordOptions = Object.freeze({});
const OPTION_KEYS = ["pid", "correlationId", "parentId"];
const WAIT_KEYS = [...OPTION_KEYS, "timeoutMs", "signal"];

interface Waiter {
  readonly value: object;
  readonly wait: Wait<boolean>;
}

/** Writes the events of one isolate, and keeps those who wait for room. */
export class CaptureWriter {
  readonly #ring: WritableRing;
  readonly #self: () => Pid | undefined;
  readonly #waitMs: () => number;
  /** The first to have asked is the first to be let in. */
  readonly #waiters = new Set<Waiter>();

  /** `self` tells whose handler runs; `waitMs`: longest wait unless options say otherwise. */
  constructor(ring: WritableRing, self: () => Pid | undefined, waitMs: () => number) {
    this.#ring = ring;
    this.#self = self;
    this.#waitMs = waitMs;
  }

  /** See `Capture.record`. */
  record(type: string, data: unknown, options: RecordOptions = NO_OPTIONS): boolean {
    if (options !== NO_OPTIONS) checkKeys("record", options, OPTION_KEYS);
    return this.#write(this.#pack(type, data, options));
  }

  /** See `Capture.recordOrWait`. */
  async recordOrWait(
    type: string,
    data: unknown,
    options: RecordWaitOptions = NO_OPTIONS,
  ): Promise<boolean> {
    checkKeys("recordOrWait", options, WAIT_KEYS);
    const { timeoutMs = this.#waitMs(), signal } = options;
    checkDelay("timeoutMs", timeoutMs);
    const value = this.#pack(type, data, options);
    if (this.#waiters.size === 0) {
      const outcome = this.#tryWrite(value);
      if (outcome !== "full") return outcome === "written";
    }
    return this.#waitFor(value, timeoutMs, signal);
  }

  async #waitFor(value: object, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const late = (): string => `no room in the capture ring within ${timeoutMs} ms`;
    const wait = new Wait<boolean>({ timeoutMs, signal }, "capture_full", late, () => {
      this.#waiters.delete(waiter);
    });
    const waiter: Waiter = { value, wait };
    if (signal?.aborted !== true) {
      this.#waiters.add(waiter);
      this.letIn();
    }
    try {
      return await wait.promise;
    } catch (thrown) {
      this.#ring.countDropped(); // whoever waited has lost it
      throw thrown;
    }
  }

  /** There may be room: writes what waits for it. */
  letIn(): void {
    for (const waiter of [...this.#waiters]) {
      if (!this.#letOneIn(waiter)) return;
    }
  }

  /** False where there was no room, and a wake-up was asked for. */
  #letOneIn({ value, wait }: Waiter): boolean {
    try {
      let outcome = this.#tryWrite(value);
      // Room that came between the two calls would wake nobody.
      while (outcome === "full" && !this.#ring.awaitSpace()) outcome = this.#tryWrite(value);
      if (outcome === "full") return false;
      wait.resolve(outcome === "written");
    } catch (thrown) {
      wait.reject(thrown);
    }
    return true;
  }

  /** The node is gone, for whoever waits. */
  close(): void {
    for (const { wait } of [...this.#waiters]) {
      wait.reject(new FoundationError("node_left", "this isolate is no part of the node any more"));
    }
  }

  #pack(type: string, data: unknown, options: RecordOptions): object {
    checkKind("the type of an event", isText(type), TEXT);
    if (options !== NO_OPTIONS) checkOptions(options);
    return packEvent(type, data, options.pid ?? this.#self(), options);
  }

  #write(value: object): boolean {
    return this.#tryWrite(value) === "written";
  }

  #tryWrite(value: object): CaptureOutcome {
    const outcome = this.#ring.write(value);
    if (outcome !== "too_large") return outcome;
    const { recordBytesMax } = this.#ring.plan;
    const text = `an event takes at most ${recordBytesMax} bytes; say so as \`recordBytesMax\``;
    throw new FoundationError("capture_record_too_large", text, { context: { recordBytesMax } });
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= TEXT_LENGTH_MAX;
}

function checkOptions({ pid, correlationId, parentId }: RecordOptions): void {
  checkKind("pid", pid === undefined || pid instanceof Pid, "a pid");
  checkKind("correlationId", correlationId === undefined || isText(correlationId), TEXT);
  if (parentId !== undefined) checkCount("parentId", parentId);
}
