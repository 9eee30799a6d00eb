import { COUNT_BYTES } from "./reader-count.ts";

/** Smallest block. Unit: bytes. */
const BLOCK_BYTES_MIN = 64;

/** Sizes of blocks between two powers of two: at most a quarter of a block stays unused. */
const SIZES_PER_DOUBLING = 4;

/** The size of the block that takes that many bytes: few sizes, so that blocks fit again. */
export function blockBytesFor(byteLength: number): number {
  const bytes = Math.max(BLOCK_BYTES_MIN, byteLength + COUNT_BYTES);
  const step = 2 ** Math.floor(Math.log2(bytes)) / SIZES_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}

/** Blocks that nobody reads, kept to be used again. */
export class FreeBlocks {
  readonly #bytesMax: number;
  readonly #blocks = new Map<number, SharedArrayBuffer[]>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A block of exactly that size, where there is one. */
  take(bytes: number): SharedArrayBuffer | undefined {
    const block = this.#blocks.get(bytes)?.pop();
    if (block !== undefined) this.#bytes -= bytes;
    return block;
  }

  /** Keeps a block; false where there is no room: the collector gets it. */
  give(block: SharedArrayBuffer): boolean {
    const { byteLength } = block;
    if (this.#bytes + byteLength > this.#bytesMax) return false;
    const same = this.#blocks.get(byteLength);
    if (same === undefined) this.#blocks.set(byteLength, [block]);
    else same.push(block);
    this.#bytes += byteLength;
    return true;
  }

  /** Lets all of them go; answers how many there were. */
  clear(): number {
    let blocks = 0;
    for (const same of this.#blocks.values()) blocks += same.length;
    this.#blocks.clear();
    this.#bytes = 0;
    return blocks;
  }
}
