/** Bytes that several readers share: to make, and to be one more reader of. */

import { Foundation } from "foundation-runtime";

import { rate } from "../rate.mjs";
import { answerMemory } from "./ask.mjs";

/** Operations between two looks at the clock. */
const PUTS = 64;
const RETAINS = 1_000;

/**
 * @typedef {object} Kept
 * @property {() => Uint8Array} bytes
 * @property {() => Kept} retain one more reader
 * @property {() => void} release this reader needs it no more
 *
 * @type {Record<string, () => Promise<(bytes: Uint8Array) => Kept>>}
 */
const CONTENDERS = {
  async ours() {
    const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
    const pool = node.beam.memory.sharedBinaries();
    return (bytes) => pool.put(bytes);
  },
  /** A copy on V8's side of memory; readers have a view each, and the collector counts. */
  buffer: async () => (bytes) => keepView(Buffer.from(bytes)),
  "shared-array-buffer": async () => (bytes) => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    return keepView(shared);
  },
};

const keepView = (view) => ({
  bytes: () => view,
  retain: () => keepView(view.subarray(0)),
  release() {},
});

await answerMemory(async ({ contender, bytes: length, timing }) => {
  const put = await CONTENDERS[contender]();
  const bytes = new Uint8Array(length).fill(7);
  let number = 0;
  const puts = await rate(() => {
    for (let each = 0; each < PUTS; each++) {
      bytes[length - 1] = ++number;
      const kept = put(bytes);
      const { length: found, [length - 1]: last } = kept.bytes();
      if (found !== length || last !== (number & 0xff)) throw new Error("other bytes came back");
      kept.release();
    }
    return PUTS;
  }, timing);
  const kept = put(bytes);
  const retains = await rate(() => {
    for (let each = 0; each < RETAINS; each++) {
      const reader = kept.retain();
      if (reader.bytes()[0] !== 7) throw new Error("other bytes came back");
      reader.release();
    }
    return RETAINS;
  }, timing);
  return { puts, retains };
});
