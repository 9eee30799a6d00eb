import { RECORD } from "../../bindings/generated/layout.ts";
import { FoundationError } from "../base/errors.ts";
import { isThenable } from "../base/thenable.ts";
import { raise } from "../base/typed-events.ts";
import type { Arena } from "./arena.ts";
import { BROKEN, Bundle, END } from "./bundle.ts";
import type { Handlers, MessageContext, Registration } from "./handlers.ts";
import type { Origin, RequestPlace } from "./origin.ts";
import { detach, PayloadReader } from "./payload.ts";
import type { RingConsumer } from "./ring.ts";
import { ENCODING } from "./values.ts";

/** Bytes read before the room is given back to the writer. */
const RELEASE_BYTES = 32 << 10;
/** Messages between two looks at the clock. */
const CLOCK_MESSAGES = 64;

/** Stands for the result of a handler that threw. */
const FAILED = Symbol("failed");

/** What the inbox hands to the rest of the isolate. */
export interface InboxSink {
  /** Who is behind a record of the kernel's ring; `undefined` once that link is gone. */
  origin(peer: number): Origin | undefined;
  /** The sender of a broadcast over an overlay, by its number; `undefined` once it is down. */
  broadcastOrigin(peer: number, no: number): Origin | undefined;
  channelName(channel: number): string;
  /** An answer to a call of this isolate. */
  onReply(correlation: number, isError: boolean, value: unknown): void;
  onUndecodable(correlation: number, error: unknown): void;
  onEvent(json: string): void;
  onWritable(peer: number, channel: number): void;
  onUndelivered(correlation: number, reason: number): void;
  /** Answers a request with a value. */
  reply(request: RequestPlace, value: unknown): void;
  /** Answers a request with an error. */
  replyError(request: RequestPlace, thrown: unknown): void;
}

/** A ring to read: the kernel's, or one of another isolate of the node. */
export interface InboxRing {
  readonly ring: RingConsumer;
  /** Fixed for a ring between isolates; looked up by link otherwise. */
  readonly origin: Origin | undefined;
  /** A bundle that the time budget interrupted; its record is not given back before it is read. */
  bundle: Bundle | undefined;
  /** Takes a slab over whose handle was read, where the writer left it in transit. */
  takeSlab?(index: number, generation: number): void;
  /** Wakes the writer that waits for room. */
  wakeWriter(): void;
}

/** Counts of an isolate's reading side. */
export interface InboxCounts {
  messages: number;
  noHandler: number;
  undecodable: number;
  unknownRecords: number;
}

/** Reads records, calls handlers and settles what they are done with. */
export class Inbox {
  readonly counts: InboxCounts = { messages: 0, noHandler: 0, undecodable: 0, unknownRecords: 0 };
  readonly payload: PayloadReader;
  readonly #arena: Arena;
  readonly #sink: InboxSink;
  readonly #handlers: Handlers;
  readonly #budgetMs: number;
  readonly #after: { done: (() => void) | undefined } = { done: undefined };
  #deadlineMs = 0;
  #messageBytes = 0;
  #lastOrigin: Origin | undefined;
  #isStopped = false;
  #untilClock = CLOCK_MESSAGES;
  /** Number of the latest news that is told on both rings; none behind other news. */
  #toldTwice: number | undefined;

  constructor(
    arena: Arena,
    isolate: number,
    sink: InboxSink,
    handlers: Handlers,
    budgetMs: number,
  ) {
    this.#arena = arena;
    this.#sink = sink;
    this.#handlers = handlers;
    this.#budgetMs = budgetMs;
    this.payload = new PayloadReader(arena, isolate);
  }

  /** Starts a time budget that the following {@link drain} calls share. */
  begin(): void {
    this.#deadlineMs = performance.now() + this.#budgetMs;
    this.#untilClock = CLOCK_MESSAGES;
  }

  /**
   * Reads a ring until it is empty (true) or the budget is used up (false). The urgent ring is
   * looked at before each record.
   */
  drain(from: InboxRing, urgent: InboxRing): boolean {
    const ring = from.ring;
    for (;;) {
      if (urgent.ring.isPending) this.#drainUrgent(urgent);
      if (this.#isStopped) return true;
      if (from.bundle === undefined) {
        if (!ring.next()) break;
        this.#record(from, ring);
      }
      if (from.bundle !== undefined && !this.#runBundle(from, from.bundle, urgent)) return false;
      if (this.#isStopped) return true;
      if (ring.unreleasedBytes >= RELEASE_BYTES) this.#release(from);
      // Large messages take their handlers longer: they bring the next look at the clock nearer.
      this.#untilClock -= 1 + (this.#messageBytes >>> 10);
      if (this.#untilClock <= 0 && this.#isBudgetUsedUp()) {
        this.#release(from);
        return false;
      }
    }
    this.#release(from);
    return true;
  }

  #drainUrgent(urgent: InboxRing): void {
    // Bounded: what comes meanwhile is read before the next record.
    for (let count = 0; count < CLOCK_MESSAGES && urgent.ring.next(); count++) {
      this.#record(urgent, urgent.ring);
      if (urgent.bundle !== undefined) this.#runBundle(urgent, urgent.bundle, urgent);
      if (this.#isStopped) return;
    }
    this.#release(urgent);
  }

  #release(from: InboxRing): void {
    this.payload.invalidate();
    if (from.ring.release()) from.wakeWriter();
  }

  /** Runs a bundle's messages; false where the time budget is used up before the last one. */
  #runBundle(from: InboxRing, bundle: Bundle, urgent: InboxRing): boolean {
    const { registration, context } = bundle;
    const { run } = registration;
    const isUrgent = from === urgent;
    for (;;) {
      if (!isUrgent) {
        if (urgent.ring.isPending) this.#drainUrgent(urgent);
        if (--this.#untilClock <= 0 && this.#isBudgetUsedUp()) return false;
      }
      if (this.#isStopped) return true;
      const value = bundle.next();
      if (value === END) break;
      if (value === BROKEN) {
        this.counts.undecodable++;
        break;
      }
      this.counts.messages++;
      let result: unknown;
      try {
        result = run(value, context);
      } catch (thrown) {
        raise(thrown); // outside of this drain
      }
      if (result !== undefined && isThenable(result)) bundle.settleWith(result);
      if (bundle.isDetaching) detach(value as Uint8Array);
    }
    from.bundle = undefined;
    bundle.release();
    return true;
  }

  #isBudgetUsedUp(): boolean {
    this.#untilClock = CLOCK_MESSAGES;
    return performance.now() >= this.#deadlineMs;
  }

  /** Stops reading: the rings are about to be given back. */
  stop(): void {
    this.#isStopped = true;
  }

  #record(from: InboxRing, ring: RingConsumer): void {
    const u32 = this.#arena.u32;
    switch (ring.tag & RECORD.KIND_MASK) {
      case RECORD.MESSAGE:
        return this.#message(from, ring);
      case RECORD.EVENT:
        // It may take away who came before, and who then comes again is told by that number.
        this.#toldTwice = undefined;
        return this.#event(ring.start, ring.size);
      case RECORD.TWICE: {
        const number = u32[ring.start >>> 2] as number;
        const known = this.#toldTwice;
        if (known !== undefined && ((known - number) | 0) >= 0) return;
        this.#toldTwice = number;
        return this.#event(ring.start + 4, ring.size - 4);
      }
      case RECORD.WRITABLE: {
        const channel = this.#arena.u16[(ring.start + RECORD.CHANNEL) >>> 1] as number;
        return this.#sink.onWritable(u32[ring.start >>> 2] as number, channel);
      }
      case RECORD.UNDELIVERED: {
        const word = ring.start >>> 2;
        return this.#sink.onUndelivered(
          u32[word + RECORD.UNDELIVERED_CORRELATION / 4] as number,
          u32[word + RECORD.UNDELIVERED_REASON / 4] as number,
        );
      }
      default:
        this.counts.unknownRecords++;
    }
  }

  #event(start: number, size: number): void {
    const bytes = this.#arena.u8.slice(start, start + size);
    this.#sink.onEvent(Buffer.from(bytes.buffer).toString("utf8"));
  }

  /** The link's other end; bursts come from one, so the last one is remembered. */
  #originOf(peer: number, serial: number): Origin | undefined {
    if ((peer & 0xffff) === RECORD.BROADCAST_PEER) return this.#sink.broadcastOrigin(peer, serial);
    if (this.#lastOrigin?.peer === peer) return this.#lastOrigin;
    this.#lastOrigin = this.#sink.origin(peer);
    return this.#lastOrigin;
  }

  /** The link of that handle is gone. */
  forgetOrigin(peer: number): void {
    if (this.#lastOrigin?.peer === peer) this.#lastOrigin = undefined;
  }

  #message(from: InboxRing, ring: RingConsumer): void {
    const { u32, u16 } = this.#arena;
    const { tag, start } = ring;
    const word = start >>> 2;
    const peer = u32[word] as number;
    const channel = u16[(start + RECORD.CHANNEL) >>> 1] as number;
    const bytes =
      (tag & RECORD.SLAB) === 0
        ? ring.size - RECORD.HEAD_BYTES
        : (u32[(start + RECORD.SLAB_LENGTH) >>> 2] as number);
    this.#messageBytes = bytes;
    if ((tag & RECORD.SLAB) !== 0 && from.takeSlab !== undefined) {
      from.takeSlab(
        u32[(start + RECORD.SLAB_INDEX) >>> 2] as number,
        u32[(start + RECORD.SLAB_GENERATION) >>> 2] as number,
      );
    }
    const account = u16[(start + RECORD.ACCOUNT) >>> 1] as number;
    const origin = from.origin ?? this.#originOf(peer, u32[word + RECORD.SERIAL / 4] as number);
    this.counts.messages++;
    if ((tag & RECORD.REPLY) !== 0) {
      this.#reply(ring, u32[word + RECORD.CORRELATION / 4] as number);
      if ((tag & RECORD.CHARGED) !== 0) origin?.settle(channel, account, bytes);
      return;
    }
    const registration = this.#handlers.get(u32[word + RECORD.DESTINATION / 4] as number);
    const encoding = (tag >>> RECORD.ENCODING_SHIFT) & 7;
    if (encoding === ENCODING.bytesBundle || encoding === ENCODING.packedBundle) {
      this.#openBundle(from, registration, origin, channel, account, bytes);
      return;
    }
    const request =
      (tag & RECORD.REQUEST) === 0 || origin === undefined
        ? undefined
        : this.#request(ring, origin, channel);
    const after = this.#after;
    after.done = undefined;
    let value: unknown;
    try {
      value = this.payload.read(ring, registration?.bytes ?? "copy", after);
    } catch (thrown) {
      this.counts.undecodable++;
      origin?.settle(channel, account, bytes);
      if (request !== undefined) this.#sink.replyError(request, thrown);
      return;
    }
    if (registration === undefined || origin === undefined) {
      this.counts.noHandler++;
      this.#after.done?.();
      origin?.settle(channel, account, bytes);
      if (request !== undefined) {
        const error = new FoundationError("noproc", "the handler has just been removed");
        this.#sink.replyError(request, error);
      }
      return;
    }
    const context: MessageContext = {
      from: origin.node,
      channel: this.#sink.channelName(channel),
      name: registration.name,
      isCall: request !== undefined,
    };
    const result = this.#call(registration, value, context, request);
    if (result !== undefined && isThenable(result)) {
      this.#settleLater(result, request, origin, channel, account, bytes);
      return;
    }
    origin.settle(channel, account, bytes);
    if (request !== undefined && result !== FAILED) this.#sink.reply(request, result);
  }

  #openBundle(
    from: InboxRing,
    registration: Registration | undefined,
    origin: Origin | undefined,
    channel: number,
    account: number,
    bytes: number,
  ): void {
    this.counts.messages--; // its messages are counted one by one
    if (registration === undefined || origin === undefined) {
      this.counts.noHandler++;
      if ((from.ring.tag & RECORD.SLAB) !== 0) this.payload.dropSlab(from.ring);
      origin?.settle(channel, account, bytes);
      return;
    }
    const context: MessageContext = {
      from: origin.node,
      channel: this.#sink.channelName(channel),
      name: registration.name,
      isCall: false,
    };
    const place = { origin, channel, account, bytes };
    from.bundle = new Bundle(this.payload, from.ring, registration, context, place);
  }

  #request(ring: RingConsumer, origin: Origin, channel: number): RequestPlace {
    const { u32, u16 } = this.#arena;
    const { start } = ring;
    return {
      origin,
      channel,
      slot: u16[(start + RECORD.SLOT) >>> 1] as number,
      generation: u16[(start + RECORD.GENERATION) >>> 1] as number,
      correlation: u32[(start + RECORD.CORRELATION) >>> 2] as number,
      replyBytesMax: u32[(start + RECORD.REPLY_BYTES_MAX) >>> 2] as number,
    };
  }

  /** Runs a handler; what it throws goes to the caller, or is raised outside of this drain. */
  #call(
    registration: Registration,
    value: unknown,
    context: MessageContext,
    request: RequestPlace | undefined,
  ): unknown {
    const done = this.#after.done;
    try {
      return registration.run(value, context);
    } catch (thrown) {
      if (request === undefined) raise(thrown);
      else this.#sink.replyError(request, thrown);
      return FAILED;
    } finally {
      done?.();
    }
  }

  /** The credit of a message stays taken until the promise of its handler has settled. */
  #settleLater(
    result: PromiseLike<unknown>,
    request: RequestPlace | undefined,
    origin: Origin,
    channel: number,
    account: number,
    bytes: number,
  ): void {
    result.then(
      (answer) => {
        origin.settle(channel, account, bytes);
        if (request !== undefined) this.#sink.reply(request, answer);
      },
      (thrown: unknown) => {
        origin.settle(channel, account, bytes);
        if (request === undefined) raise(thrown);
        else this.#sink.replyError(request, thrown);
      },
    );
  }

  #reply(ring: RingConsumer, correlation: number): void {
    const isError = ((ring.tag >>> RECORD.ENCODING_SHIFT) & 7) === ENCODING.error;
    this.#after.done = undefined;
    try {
      this.#sink.onReply(correlation, isError, this.payload.read(ring, "copy", this.#after));
    } catch (thrown) {
      this.counts.undecodable++;
      this.#sink.onUndecodable(correlation, thrown);
    }
  }
}
