import { fromNative, native } from "../base/errors.ts";
import { core } from "./native.ts";
import { wholeStart } from "./value-writer.ts";
import { decodePacked, encodeValue } from "./values.ts";

/** Stamp and length in front of each record that is read. Unit: bytes. */
const HEAD_BYTES = 12;
/** Room for a batch of usual records; the longest one fits in any case. Unit: bytes. */
const BATCH_BYTES = 64 << 10;

/** Most rings of a node. Unit: rings. */
export const CAPTURE_RINGS_MAX = 64;
/** Most places of a ring. Unit: records. */
export const CAPTURE_SLOTS_MAX = 1 << 20;
/** Longest record that can be asked for. Unit: bytes. */
export const CAPTURE_RECORD_BYTES_MAX = 1 << 20;

/** What becomes of a record that finds its ring full. */
export type CaptureOverflow = "drop_oldest" | "drop_newest" | "block";

/** How the capture rings of a node are made. The isolate that opens them first decides. */
export interface CaptureRingPlan {
  /** Rings that the isolates are spread over. Unit: rings. */
  readonly rings: number;
  /** Places of a ring, a power of two. Unit: records. */
  readonly slots: number;
  /** Unread records of a ring at most. Unit: records. */
  readonly recordsMax: number;
  /** Longest record. Unit: bytes. */
  readonly recordBytesMax: number;
  readonly overflow: CaptureOverflow;
}

/** Five counts of all rings of a node since they were made. Unit: records. */
export interface CaptureCounts {
  /** Where the next record is written. */
  readonly writePosition: number;
  /** Where the next record is read: all before were read, or dropped for newer ones. */
  readonly readPosition: number;
  /** Records that were taken in. */
  readonly writes: number;
  /** Records that were handed out. */
  readonly reads: number;
  /** Records that were lost: the oldest for newer ones, and those that found no room. */
  readonly dropped: number;
}

/** What became of a record. */
export type CaptureOutcome = "written" | "full" | "dropped" | "too_large";

const OUTCOMES: readonly CaptureOutcome[] = ["written", "full", "dropped", "too_large"];

/** A record as it is read: when it was written, and its value. */
export interface CaptureRecord {
  /** Unit: ms since 1970. */
  readonly timestampMs: number;
  /** Orders the records of one millisecond, over all isolates of the node. */
  readonly sequence: number;
  readonly value: unknown;
}

/**
 * The capture rings of a node as one isolate holds them. A record is written by one call into the
 * core: an isolate that ends in the middle of it has written it, or not.
 */
export class CaptureRing {
  /** As the rings were made, whoever made them. */
  readonly plan: CaptureRingPlan;
  readonly #capture: number;
  #target: Buffer | undefined;
  #isClosed = false;

  /**
   * `wake` is called when there is room that was waited for and, where `isReader`, when there are
   * records. It does not keep the program alive.
   *
   * @throws FoundationError `invalid_options`, `unknown_node`
   */
  constructor(node: number, plan: CaptureRingPlan, wake: () => void, isReader: boolean) {
    const { capture, ...made } = native(() => core.openCapture(node, plan, wake, isReader));
    this.#capture = capture;
    this.plan = made as CaptureRingPlan;
  }

  /**
   * Writes a value: a list or an object, which is what the reader gets.
   *
   * @throws FoundationError `unencodable`, `node_left`
   */
  write(value: object): CaptureOutcome {
    const encoded = encodeValue(value);
    const { packed } = encoded;
    // Most lie in one piece already, and a view of it would cost as much as the encoding.
    const start = packed === undefined ? -1 : wholeStart(packed);
    if (packed === undefined || start < 0) {
      const { bytes } = encoded;
      return this.#write(bytes, 0, bytes.length);
    }
    return this.#write(packed.memory, start, packed.end);
  }

  #write(bytes: Uint8Array, start: number, end: number): CaptureOutcome {
    try {
      return OUTCOMES[core.writeCapture(this.#capture, bytes, start, end)] as CaptureOutcome;
    } catch (thrown) {
      throw fromNative(thrown);
    }
  }

  /** Asks to be woken when there is room; false: there is some now. */
  awaitSpace(): boolean {
    return native(() => core.awaitCaptureSpace(this.#capture));
  }

  /** Counts a record that its writer gave up. */
  countDropped(): void {
    native(() => core.countCaptureDrop(this.#capture));
  }

  /**
   * Reads the oldest records: at most so many, and fewer where they are long, but one where there
   * is any.
   */
  read(recordsMax: number): CaptureRecord[] {
    const bytes = Math.max(BATCH_BYTES, HEAD_BYTES + this.plan.recordBytesMax);
    this.#target ??= Buffer.allocUnsafeSlow(bytes);
    const target = this.#target;
    const count = native(() => core.drainCapture(this.#capture, target, recordsMax));
    const records: CaptureRecord[] = [];
    let at = 0;
    for (let index = 0; index < count; index++) {
      const low = target.readUInt32LE(at);
      const start = at + HEAD_BYTES;
      const end = start + target.readUInt32LE(at + 8);
      records.push({
        timestampMs: target.readUInt32LE(at + 4) * 0x10000 + (low >>> 16),
        sequence: low & 0xffff,
        value: decodePacked(target, start, end),
      });
      at = end;
    }
    return records;
  }

  /** Says that the reader sleeps until so many records are unread; false: they are. */
  arm(records: number): boolean {
    return native(() => core.armCapture(this.#capture, records));
  }

  /** What was counted so far. */
  counts(): CaptureCounts {
    return native(() => core.captureCounters(this.#capture));
  }

  /** Lets go of the rings. What was written stays for the reader. Again: does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    core.closeCapture(this.#capture);
  }
}
