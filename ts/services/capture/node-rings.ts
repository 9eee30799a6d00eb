import { FoundationError } from "../../base/errors.ts";
import type {
  CaptureCounts,
  CaptureOutcome,
  CaptureRecord,
  CaptureRing,
  CaptureRingPlan,
} from "../../kernel/capture-ring.ts";
import type { ReadableRing } from "./capture-core.ts";
import type { WritableRing } from "./capture-writer.ts";

/** The rings of a node as one isolate holds them, opened when they are first needed. */
export class NodeRings implements ReadableRing, WritableRing {
  readonly #open: (wake: () => void) => CaptureRing;
  #ring: CaptureRing | undefined;
  #isClosed = false;
  /** Called when there are records to read, or room that was waited for. */
  onWake: () => void = () => {};

  /** `open` is called once. */
  constructor(open: (wake: () => void) => CaptureRing) {
    this.#open = open;
  }

  /** @throws FoundationError `node_left` once they are closed; what opening them throws */
  get #opened(): CaptureRing {
    if (this.#isClosed) {
      throw new FoundationError("node_left", "this isolate is no part of the node any more");
    }
    this.#ring ??= this.#open(() => this.onWake());
    return this.#ring;
  }

  /** How they were made. */
  get plan(): CaptureRingPlan {
    return this.#opened.plan;
  }

  write(value: object): CaptureOutcome {
    return this.#opened.write(value);
  }

  awaitSpace(): boolean {
    return this.#opened.awaitSpace();
  }

  countDropped(): void {
    if (!this.#isClosed) this.#opened.countDropped();
  }

  read(recordsMax: number): CaptureRecord[] {
    return this.#opened.read(recordsMax);
  }

  arm(records: number): boolean {
    return this.#opened.arm(records);
  }

  get unread(): number {
    return unreadOf(this.counts());
  }

  counts(): CaptureCounts {
    return this.#opened.counts();
  }

  /** Lets go of them. */
  close(): void {
    this.#isClosed = true;
    this.#ring?.close();
    this.#ring = undefined;
  }
}

/** Records that wait. Their counts may be of slightly different moments. */
export function unreadOf({ writePosition, readPosition }: CaptureCounts): number {
  return Math.max(0, writePosition - readPosition);
}
