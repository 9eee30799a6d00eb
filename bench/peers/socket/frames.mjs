/**
 * Length-prefixed frames over a byte stream, read without a copy unless a frame is split between
 * two reads: then its parts are gathered once.
 */

/** Bytes of the prefix: the length of what follows, u32, little endian. */
export const PREFIX_BYTES = 4;

/**
 * @param {Uint8Array} target
 * @param {number} offset
 * @param {number} length
 */
export function writePrefix(target, offset, length) {
  target[offset] = length;
  target[offset + 1] = length >>> 8;
  target[offset + 2] = length >>> 16;
  target[offset + 3] = length >>> 24;
}

/**
 * Cuts what a socket delivers into frames; a frame is a view that is valid during the call only.
 */
export class FrameReader {
  #onFrame;
  /** A frame whose start came with an earlier read; its prefix included. */
  #split = new Uint8Array(64 * 1024);
  #splitBytes = 0;

  /** @param {(frame: Uint8Array) => void} onFrame */
  constructor(onFrame) {
    this.#onFrame = onFrame;
  }

  /**
   * @param {Uint8Array} chunk
   * @param {number} length bytes of the chunk that are valid
   */
  push(chunk, length) {
    let offset = this.#splitBytes === 0 ? 0 : this.#gather(chunk, length);
    const { buffer, byteOffset } = chunk;
    while (offset + PREFIX_BYTES <= length) {
      const size = this.#sizeAt(chunk, offset);
      const end = offset + PREFIX_BYTES + size;
      if (end > length) break;
      this.#onFrame(new Uint8Array(buffer, byteOffset + offset + PREFIX_BYTES, size));
      offset = end;
    }
    if (offset < length) this.#keep(chunk, offset, length);
  }

  /** Completes the split frame; returns where the next one starts. */
  #gather(chunk, length) {
    let offset = 0;
    while (this.#splitBytes < PREFIX_BYTES) {
      if (offset === length) return offset;
      this.#split[this.#splitBytes] = chunk[offset];
      this.#splitBytes += 1;
      offset += 1;
    }
    const frameBytes = PREFIX_BYTES + this.#sizeAt(this.#split, 0);
    this.#grow(frameBytes);
    const taken = Math.min(frameBytes - this.#splitBytes, length - offset);
    this.#split.set(chunk.subarray(offset, offset + taken), this.#splitBytes);
    this.#splitBytes += taken;
    if (this.#splitBytes === frameBytes) {
      this.#splitBytes = 0;
      this.#onFrame(this.#split.subarray(PREFIX_BYTES, frameBytes));
    }
    return offset + taken;
  }

  #keep(chunk, offset, length) {
    this.#grow(length - offset);
    this.#split.set(chunk.subarray(offset, length), 0);
    this.#splitBytes = length - offset;
  }

  #grow(bytes) {
    if (this.#split.length >= bytes) return;
    const larger = new Uint8Array(Math.max(bytes, this.#split.length * 2));
    larger.set(this.#split.subarray(0, this.#splitBytes));
    this.#split = larger;
  }

  #sizeAt(bytes, offset) {
    const high = bytes[offset + 2] | (bytes[offset + 3] << 8);
    return (bytes[offset] | (bytes[offset + 1] << 8) | (high << 16)) >>> 0;
  }
}
