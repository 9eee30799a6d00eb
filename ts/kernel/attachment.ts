import { threadId } from "node:worker_threads";
import { fromNative, native } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import type { Bundle } from "./bundle.ts";
import type { Inbox, InboxRing } from "./inbox.ts";
import { core, sharedShim } from "./native.ts";
import { RecordWriter } from "./record-writer.ts";
import { RingConsumer, RingProducer } from "./ring.ts";
import { Settlement } from "./settlement.ts";

/** An isolate's rings to and from the kernel thread, and its doorbell. */
export class Attachment implements InboxRing {
  readonly isolate: number;
  readonly slot: number;
  readonly generation: number;
  readonly ringBytes: number;
  readonly ring: RingConsumer;
  readonly writer: RecordWriter;
  readonly settlement: Settlement;
  readonly origin = undefined;
  bundle: Bundle | undefined;
  /** What does not wait behind bulk: messages of priority 0, answers to them, news of room. */
  readonly #urgent: InboxRing;
  readonly #rings: InboxRing[] = [this];
  /** Answers that found the ring full; they go before anything else. */
  readonly #deferred: (() => boolean)[] = [];
  #inbox: Inbox | undefined;
  #onTurn: () => void = () => {};
  #onFailed: () => void = () => {};
  #isDraining = false;
  #isDetached = false;

  /** `isPoller`: this isolate polls the connections of a node with `io: "isolate"`. */
  constructor(arena: Arena, node: number, isPoller: boolean) {
    const wake = (hasFailed?: boolean): void => {
      if (hasFailed === true) this.#onFailed();
      else this.#wake();
    };
    const watched = sharedShim()?.watchIsolate();
    const attached = native(() => {
      return core.attachIsolate(node, wake, isPoller, threadId, watched);
    });
    this.isolate = attached.isolate;
    this.slot = attached.slot;
    this.generation = attached.generation;
    this.ringBytes = attached.ringBytes;
    this.ring = new RingConsumer(arena, arena.at(attached.inwardOffset), attached.ringBytes);
    const urgent = new RingConsumer(arena, arena.at(attached.urgentOffset), attached.ringBytes);
    this.#urgent = {
      ring: urgent,
      origin: undefined,
      bundle: undefined,
      wakeWriter: () => this.wakeWriter(),
    };
    const outward = new RingProducer(arena, arena.at(attached.outwardOffset), attached.ringBytes);
    this.writer = new RecordWriter(arena, this.isolate, outward, () => this.wakeWriter());
    this.settlement = new Settlement(this.writer);
  }

  /**
   * Begins to read. `onTurn` runs after each drain, when room or credit may have come, `onFailed`
   * once the kernel thread has panicked.
   */
  start(inbox: Inbox, onTurn: () => void, onFailed: () => void): void {
    this.#inbox = inbox;
    this.#onTurn = onTurn;
    this.#onFailed = onFailed;
    this.#wake();
  }

  /** Adds a ring of another isolate. */
  addRing(ring: InboxRing): void {
    this.#rings.push(ring);
    this.#wake();
  }

  /** Removes a ring whose writer is gone, once it is read to its end. */
  removeRing(ring: InboxRing): void {
    const index = this.#rings.indexOf(ring);
    if (index > 0) this.#rings.splice(index, 1);
  }

  /** Reads what a ring still holds. */
  drainRing(ring: InboxRing): void {
    this.#inbox?.begin();
    while (this.#inbox?.drain(ring, this.#urgent) === false) this.#inbox.begin();
  }

  /** Wakes the kernel thread. */
  wakeWriter(): void {
    try {
      core.ringKernel(this.isolate);
    } catch (thrown) {
      throw fromNative(thrown);
    }
  }

  /**
   * Does something that needs room in a ring, now or as soon as there is some; in order. Where it
   * finds none, it has asked to be woken.
   */
  eventually(action: () => boolean): void {
    if (this.#deferred.length === 0 && action()) return;
    this.#deferred.push(action);
  }

  #runDeferred(): void {
    for (let first = this.#deferred[0]; first !== undefined; first = this.#deferred[0]) {
      if (!first()) break;
      this.#deferred.shift();
    }
  }

  readonly #continue = (): void => {
    this.#isDraining = false;
    this.#wake();
  };

  #wake(): void {
    const inbox = this.#inbox;
    if (inbox === undefined || this.#isDraining || this.#isDetached) return;
    this.#isDraining = true;
    inbox.begin();
    for (;;) {
      for (const ring of [...this.#rings]) {
        if (!inbox.drain(ring, this.#urgent)) {
          // The budget is used up: go on after timers and I/O, without the doorbell.
          this.#afterDrain();
          setImmediate(this.#continue);
          return;
        }
      }
      this.#afterDrain();
      if (this.#isDetached || this.#armAll()) break;
    }
    this.#isDraining = false;
  }

  #afterDrain(): void {
    if (this.#isDetached) return;
    this.#runDeferred();
    this.settlement.flush();
    this.#onTurn();
    const { isPending } = this.settlement;
    if (isPending && this.writer.hasRoom(0)) queueMicrotask(() => this.#wakeAgain());
  }

  #wakeAgain(): void {
    if (!this.#isDetached) this.#afterDrain();
  }

  #armAll(): boolean {
    let isIdle = this.#urgent.ring.arm();
    for (const ring of this.#rings) isIdle = ring.ring.arm() && isIdle;
    return isIdle;
  }

  /** Whether the isolate has let go. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** Shows what was written, then lets go of the rings for good. */
  detach(): void {
    if (this.#isDetached) return;
    this.settlement.flush();
    this.writer.flush();
    this.writer.close();
    this.#isDetached = true;
    this.#inbox?.stop();
    native(() => core.detachIsolate(this.isolate));
  }

  /** Lets the process end although the isolate is attached. */
  unref(): void {
    if (!this.#isDetached) native(() => core.unrefIsolate(this.isolate));
  }

  /** Keeps the process alive again. */
  ref(): void {
    if (!this.#isDetached) native(() => core.refIsolate(this.isolate));
  }
}
