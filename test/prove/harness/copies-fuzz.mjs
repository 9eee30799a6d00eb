import { Foundation } from "../../../dist/ts/index.js";
import { lendArena } from "../../../dist/ts/kernel/shared-runtime.js";
import { core } from "./holdings.mjs";

/** Isolates of a process are numbered from a small number on. */
const ISOLATES_TRIED = 64;
/** The only memory of the arena that may be written to. Unit: bytes. */
const SLAB_BYTES = 64 << 10;
const ARENA_BYTES = 32 << 20;
const NUMBERS = [0, 1, 7, 4095, 4096, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -1, 0.5];
const NO_NUMBERS = [undefined, null, "1", {}, 1n, Symbol("one")];

/** Arrays whose memory is gone: optimised code of V8 11 tells the length that some of them had. */
const EMPTY = new WeakSet();

/** @param {number} bytes */
function shrunk(bytes) {
  const Resizable = /** @type {any} */ (ArrayBuffer);
  const buffer = new Resizable(bytes, { maxByteLength: 2 * bytes });
  const view = new Uint8Array(buffer, bytes >> 1);
  buffer.resize(bytes >> 2);
  EMPTY.add(view);
  return view;
}

/** @param {number} bytes */
function detached(bytes) {
  const view = new Uint8Array(bytes);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  EMPTY.add(view);
  return view;
}

/** @param {any} array */
function lengthOf(array) {
  return EMPTY.has(array) ? 0 : (array?.length ?? 0);
}

/**
 * The core's copies between memory of JavaScript and the arena: inputs travel through them, and
 * calls whose lengths, offsets and arrays make no sense have to be refused. Everything is done in
 * one slab of our own: the rest of the arena belongs to a node that runs.
 */
export class CopiesUnderFire {
  count = 0;
  refused = 0;
  #place = new Uint32Array(3);
  #random;
  #node;
  #arena;
  #isolate;
  #slab;
  #start;

  /** @param {() => number} random */
  static async start(random) {
    const arena = lendArena(ARENA_BYTES);
    return new CopiesUnderFire(random, arena, await Foundation.start({ name: "values" }));
  }

  constructor(random, arena, node) {
    this.#random = random;
    this.#arena = arena;
    this.#node = node;
    this.#isolate = this.#findIsolate();
    this.#slab = [...this.#place];
    this.#start = arena.at(this.#place[2]);
  }

  #below(/** @type {number} */ limit) {
    return Math.floor(this.#random() * limit);
  }

  /** Takes the slab with the one number that is an isolate's. */
  #findIsolate() {
    const place = new Uint8Array(this.#place.buffer);
    for (let isolate = 0; isolate < ISOLATES_TRIED; isolate += 1) {
      try {
        core.fillSlab(isolate, new Uint8Array(SLAB_BYTES), place);
        return isolate;
      } catch (error) {
        if (typeof error.code !== "string") throw error;
      }
    }
    throw new Error("no isolate is attached");
  }

  /** An input as the reader may get it: copied through the arena, or beside other bytes. */
  carry(/** @type {Uint8Array} */ bytes) {
    const kind = this.#below(4);
    if (kind === 0) return { memory: bytes, start: 0 };
    if (kind === 1) {
      const start = this.#below(64);
      const memory = new Uint8Array(start + bytes.length + this.#below(64)).fill(0x91);
      memory.set(bytes, start);
      return { memory, start };
    }
    const at = this.#start + this.#below(SLAB_BYTES - bytes.length);
    core.copyIn(bytes, bytes.length, at);
    const memory = new Uint8Array(bytes.length);
    core.copyOut(memory, at);
    this.count += 2;
    if (Buffer.compare(memory, bytes) !== 0) throw new Error("other bytes came back");
    return { memory, start: 0 };
  }

  #bytes() {
    const length = this.#below(4) === 0 ? this.#below(SLAB_BYTES) : this.#below(600);
    switch (this.#below(12)) {
      case 0:
        return detached(length);
      case 1:
        return shrunk(length + 4);
      case 2:
        return new Float64Array(4);
      case 3:
        return [null, {}, "bytes", new ArrayBuffer(8), new DataView(new ArrayBuffer(8))][
          this.#below(5)
        ];
      case 4:
      case 5: {
        const skipped = this.#below(SLAB_BYTES);
        const most = Math.min(length, SLAB_BYTES - skipped);
        return new Uint8Array(this.#arena.buffer, this.#start + skipped, most);
      }
      case 6:
        return Buffer.alloc(length);
      default:
        return new Uint8Array(length);
    }
  }

  /** @returns {any} */
  #number(/** @type {number} */ sensible) {
    const kind = this.#below(8);
    if (kind === 0) return NO_NUMBERS[this.#below(NO_NUMBERS.length)];
    if (kind === 1) return NUMBERS[this.#below(NUMBERS.length)];
    if (kind === 2) return this.#below(2 ** 33);
    return sensible;
  }

  /** Offsets of the own slab, and those at the end of the arena and behind it. */
  #offset() {
    const end = this.#arena.u8.length;
    return this.#number(
      this.#below(2) === 0 ? this.#start + this.#below(SLAB_BYTES) : end - this.#below(900) + 300,
    );
  }

  /**
   * Whether a copy of `length` bytes is one that the core should do; `undefined` where it may not
   * be tried: it would write into what belongs to the node.
   */
  #isLegal(array, length, offset) {
    const isArray = array instanceof Uint8Array;
    if (!isArray || typeof length !== "number" || typeof offset !== "number") return false;
    // As the boundary reads numbers.
    const [count, from] = [length >>> 0, offset >>> 0];
    if (count > lengthOf(array) || from + count > this.#arena.u8.length) return false;
    const isOwn = from >= this.#start && from + count <= this.#start + SLAB_BYTES;
    return isOwn || count === 0 ? true : undefined;
  }

  /** One call that may make no sense. */
  attack() {
    const array = this.#bytes();
    switch (this.#below(4)) {
      case 0: {
        const [length, offset] = [this.#number(lengthOf(array)), this.#offset()];
        const isLegal = this.#isLegal(array, length, offset);
        if (isLegal === undefined) return;
        return this.#try(isLegal, () => core.copyIn(array, length, offset));
      }
      case 1: {
        const offset = this.#offset();
        const isLegal = this.#isLegal(array, lengthOf(array), offset);
        if (isLegal === undefined) return;
        return this.#try(isLegal, () => core.copyOut(array, offset));
      }
      case 2:
        return this.#fillSlab(array);
      default: {
        const [index, generation] = [this.#number(this.#below(99)), this.#number(this.#below(9))];
        // The boundary reads numbers so.
        if (typeof index === "number" && index >>> 0 === this.#slab[0]) return;
        return this.#try(undefined, () => core.releaseSlab(this.#isolate, index, generation));
      }
    }
  }

  #fillSlab(/** @type {any} */ array) {
    const isolate = this.#number(this.#isolate);
    const place = this.#below(4) === 0 ? this.#bytes() : new Uint8Array(12);
    const isOwnSlab = place instanceof Uint8Array && place.buffer === this.#arena.buffer;
    const isLegal =
      typeof isolate === "number" &&
      isolate >>> 0 === this.#isolate &&
      array instanceof Uint8Array &&
      place instanceof Uint8Array &&
      lengthOf(place) >= 12;
    const length = isLegal ? lengthOf(array) : 0;
    const expected = isLegal ? new Uint8Array(length) : undefined;
    if (length > 0) expected?.set(array);
    const isDone = this.#try(isLegal, () => core.fillSlab(isolate, array, place));
    if (!isDone || expected === undefined) return;
    const view = new DataView(place.buffer, place.byteOffset, 12);
    const [index, generation] = [view.getUint32(0, true), view.getUint32(4, true)];
    const start = this.#arena.at(view.getUint32(8, true));
    const filled = this.#arena.u8.subarray(start, start + length);
    if (!isOwnSlab && Buffer.compare(filled, expected) !== 0)
      throw new Error("a slab of other bytes");
    if (!core.releaseSlab(this.#isolate, index, generation)) throw new Error("a slab of nobody");
    if (core.releaseSlab(this.#isolate, index, generation)) throw new Error("released twice");
  }

  /** @param {boolean | undefined} isLegal @param {() => void} call */
  #try(isLegal, call) {
    this.count += 1;
    try {
      call();
    } catch (error) {
      if (typeof error?.code !== "string") throw error;
      if (isLegal === true) throw error;
      this.refused += 1;
      return false;
    }
    if (isLegal === false) throw new Error(`done, although it makes no sense: ${call}`);
    return true;
  }

  /** @param {(holds: boolean, text: string) => void} expect */
  async end(expect) {
    const [index, generation] = this.#slab;
    expect(core.releaseSlab(this.#isolate, index, generation), "the own slab is gone");
    const { slabsLive, slabDoubleReleases } = core.boundaryCounters();
    expect(slabsLive === 0, `${slabsLive} slabs are left`);
    expect(slabDoubleReleases === 0, `${slabDoubleReleases} slabs were given back twice`);
    await this.#node.leave();
  }
}
