/** Each codec as a pair of functions between a value and bytes that could go on a wire. */

import { deserialize, serialize } from "node:v8";

import { openBundledValues, openValues } from "../../ours.mjs";
import { RecordReader, RecordWriter } from "../../peers/records.mjs";

/**
 * `keep` is for a codec whose bytes are valid until the next call.
 *
 * @typedef {object} BundlingCodec many values at a time
 * @property {(values: readonly unknown[]) => any} encodeAll
 * @property {(encoded: any) => any[]} decodeAll
 *
 * @typedef {object} Codec
 * @property {(value: unknown) => any} encode
 * @property {(encoded: any) => any} decode
 * @property {(encoded: any) => any} [keep]
 *
 * @type {Record<string, () => Codec | Promise<Codec | BundlingCodec>>}
 */
export const CODECS = {
  ours: openValues,
  "ours-bundled": openBundledValues,
  json: () => ({
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(bytes.toString()),
  }),
  v8: () => ({ encode: serialize, decode: deserialize }),
  msgpackr() {
    const writer = new RecordWriter();
    const reader = new RecordReader();
    return { encode: (value) => writer.pack(value), decode: (bytes) => reader.unpack(bytes) };
  },
  // The clone is whole after the first half.
  "structured-clone": () => ({ encode: structuredClone, decode: (value) => value }),
};
