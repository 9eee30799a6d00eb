/**
 * msgpackr as the rivals on Node.js use it, at its best: one definition of a record's fields for
 * the whole stream, which a reliable and ordered connection allows.
 */

import { Packr, RESERVE_START_SPACE, Unpackr } from "msgpackr";

/** Packs objects of one stream, with room for a header in front of each. */
export class RecordWriter {
  #packr = new Packr({ sequential: true });

  /**
   * @param {object} object
   * @param {number} reservedBytes left free at the start, up to 255
   * @returns {Buffer}
   */
  pack(object, reservedBytes = 0) {
    return this.#packr.pack(object, RESERVE_START_SPACE | reservedBytes);
  }
}

/** Unpacks the objects of one stream, in their order. */
export class RecordReader {
  #unpackr = new Unpackr({ sequential: true, structures: [] });

  /**
   * @param {Uint8Array} bytes
   * @returns {any}
   */
  unpack(bytes) {
    return this.#unpackr.unpack(bytes);
  }
}
