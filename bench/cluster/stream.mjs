/**
 * The stream that every contender of node-to-node and threads carries: what is in a message, when
 * the sender stops, and how the receiver proves that each message came once, whole and in order.
 *
 * Bytes: sequence number (u32, little endian), mark (u8), filler, and the inverted sequence number
 * again in the last four bytes, so that a torn message or a reused buffer is seen at either end.
 */

/** What the receiver has to do on top of counting. */
export const MARK = Object.freeze({
  /** Nothing. */
  none: 0,
  /** Start the clock: the warm-up is over. */
  start: 1,
  /** Stop the clock: nothing follows. */
  last: 2,
});

/**
 * @typedef {{ name: string, kind: "bytes", bytes: number }
 *   | { name: string, kind: "object" }} Payload
 */

const KIB = 1024;

/** The small object's payload, also used by the threads suite. @type {Payload} */
export const SMALL_OBJECT = Object.freeze({ name: "small object", kind: "object" });

/** Sizes of node-to-node. @type {readonly Payload[]} */
export const PAYLOADS = Object.freeze([
  { name: "16 B", kind: "bytes", bytes: 16 },
  { name: "64 B", kind: "bytes", bytes: 64 },
  { name: "1 KiB", kind: "bytes", bytes: KIB },
  { name: "8 KiB", kind: "bytes", bytes: 8 * KIB },
  { name: "64 KiB", kind: "bytes", bytes: 64 * KIB },
  { name: "1 MiB", kind: "bytes", bytes: KIB * KIB },
  SMALL_OBJECT,
]);

/**
 * A payload buffer with filler that no two positions of a page share by chance.
 *
 * @param {number} length
 */
export function createBytes(length) {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

/**
 * Makes this message differ from the one before; the rest of the buffer stays as it is.
 *
 * @param {Uint8Array} bytes
 * @param {number} sequence
 * @param {number} mark
 */
export function stampBytes(bytes, sequence, mark) {
  const end = bytes.length;
  bytes[0] = sequence;
  bytes[1] = sequence >>> 8;
  bytes[2] = sequence >>> 16;
  bytes[3] = sequence >>> 24;
  bytes[4] = mark;
  const inverted = ~sequence;
  bytes[end - 4] = inverted;
  bytes[end - 3] = inverted >>> 8;
  bytes[end - 2] = inverted >>> 16;
  bytes[end - 1] = inverted >>> 24;
}

/**
 * A record as services send them: a number that counts, a short string, two measures, a flag.
 *
 * @param {number} sequence
 * @param {number} mark
 */
export function createObject(sequence, mark) {
  return {
    sequence,
    mark,
    entity: `entity-${sequence & 1023}`,
    x: sequence * 0.5,
    y: sequence * 0.25,
    live: (sequence & 1) === 0,
  };
}

/**
 * Makes the messages of a stream for a `send` that is done with its argument when it returns: all
 * messages of bytes share one buffer.
 *
 * @param {Payload} payload
 * @returns {(sequence: number, mark: number) => Uint8Array | ReturnType<typeof createObject>}
 */
export function createSource(payload) {
  if (payload.kind === "object") return createObject;
  const bytes = createBytes(payload.bytes);
  return (sequence, mark) => {
    stampBytes(bytes, sequence, mark);
    return bytes;
  };
}

/** When the sender turns from warming up to measuring, and when it stops. */
export class Pace {
  #warmMs;
  #measureMs;
  #checkEvery;
  #countdown = 1;
  #startedAt = 0;
  #measuring = false;

  /**
   * @param {{ warmMs: number, measureMs: number }} timing
   * @param {Payload} payload large messages look at the clock each time, small ones once in 64
   */
  constructor(timing, payload) {
    this.#warmMs = timing.warmMs;
    this.#measureMs = timing.measureMs;
    this.#checkEvery = payload.kind === "bytes" && payload.bytes >= 8 * KIB ? 1 : 64;
  }

  /** The mark of the next message. After `MARK.last` there must be none. */
  next() {
    this.#countdown -= 1;
    return this.#countdown > 0 ? MARK.none : this.#onCheck();
  }

  #onCheck() {
    this.#countdown = this.#checkEvery;
    const now = performance.now();
    if (this.#startedAt === 0) this.#startedAt = now;
    const passedMs = now - this.#startedAt;
    if (!this.#measuring) {
      if (passedMs < this.#warmMs) return MARK.none;
      this.#measuring = true;
      this.#startedAt = now;
      return MARK.start;
    }
    return passedMs < this.#measureMs ? MARK.none : MARK.last;
  }
}

/**
 * The receiver's count: throws on the first message that is missing, doubled, torn or out of order.
 */
export class Tally {
  #expected = 0;
  #startSequence = 0;
  #startedAt = 0;
  #length;
  /** @type {{ messages: number, seconds: number, received: number } | undefined} */
  #result;

  /** @param {Payload} payload */
  constructor(payload) {
    this.#length = payload.kind === "bytes" ? payload.bytes : 0;
  }

  /** Messages that were taken so far. */
  get received() {
    return this.#expected;
  }

  /** Messages and seconds between the start mark and the last message; undefined until then. */
  get result() {
    return this.#result;
  }

  /**
   * Takes a message of bytes.
   *
   * @param {Uint8Array} bytes
   * @returns {boolean} true with the last message
   */
  takeBytes(bytes) {
    const end = bytes.length;
    if (end !== this.#length) {
      throw new Error(`message ${this.#expected} has ${end} bytes, sent were ${this.#length}`);
    }
    const head = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
    const tail =
      bytes[end - 4] | (bytes[end - 3] << 8) | (bytes[end - 2] << 16) | (bytes[end - 1] << 24);
    if (head !== ~tail) throw new Error(`message ${this.#expected} is torn`);
    return this.take(head >>> 0, bytes[4]);
  }

  /**
   * Takes a decoded small object.
   *
   * @param {{ sequence: number, mark: number, y: number }} object
   * @returns {boolean} true with the last message
   */
  takeObject(object) {
    if (object.y !== object.sequence * 0.25) throw new Error(`message ${this.#expected} is torn`);
    return this.take(object.sequence, object.mark);
  }

  /**
   * Takes the number and the mark of a message of any form.
   *
   * @param {number} sequence
   * @param {number} mark
   * @returns {boolean} true with the last message
   */
  take(sequence, mark) {
    if (sequence !== this.#expected) {
      throw new Error(`expected message ${this.#expected}, got ${sequence}`);
    }
    this.#expected = sequence + 1;
    return mark === MARK.none ? false : this.#onMark(sequence, mark);
  }

  #onMark(sequence, mark) {
    const now = performance.now();
    if (mark === MARK.start) {
      this.#startSequence = sequence;
      this.#startedAt = now;
      return false;
    }
    if (mark !== MARK.last || this.#startedAt === 0) throw new Error(`unexpected mark ${mark}`);
    this.#result = {
      messages: sequence - this.#startSequence,
      seconds: (now - this.#startedAt) / 1000,
      received: this.#expected,
    };
    return true;
  }
}
