import { RECORD } from "../../../dist/bindings/generated/layout.js";
import { BROKEN, Bundle, END } from "../../../dist/ts/kernel/bundle.js";
import { ENCODING } from "../../../dist/ts/kernel/values.js";

/** Bytes of the neighbours of a bundle; none of them may be read as its own. */
const NEIGHBOUR_BYTES = 16;

/**
 * Puts messages into a bundle, one of whose lengths may be a lie.
 *
 * @param {Uint8Array[]} messages
 * @param {() => number} random
 */
function bundleOf(messages, random) {
  const lying = random() < 0.3 ? Math.floor(random() * messages.length) : -1;
  const parts = messages.map((message, index) => {
    const length = index === lying ? Math.floor(random() * 65_536) : message.length;
    return Buffer.concat([Uint8Array.of(length & 0xff, length >> 8), message]);
  });
  const whole = Buffer.concat(parts);
  const end = random() < 0.2 ? Math.floor(random() * (whole.length + 1)) : whole.length;
  const bytes = new Uint8Array(end + NEIGHBOUR_BYTES).fill(0x01);
  bytes.set(whole.subarray(0, end));
  return bytes.subarray(0, end);
}

/**
 * Reads a bundle to its end: it has one, no message is longer than what is left, each takes its two
 * bytes, and the credit comes back once.
 *
 * @param {Uint8Array[]} messages
 * @param {() => number} random
 * @returns {number} messages read
 */
export function checkBundle(messages, random) {
  const source = bundleOf(messages, random);
  const isPacked = random() < 0.7;
  const encoding = isPacked ? ENCODING.packedBundle : ENCODING.bytesBundle;
  let settled = 0;
  const origin = { settle: (/** @type {unknown[]} */ ...of) => (settled += Number(of[2])) };
  const bundle = new Bundle(
    /** @type {any} */ ({ isDevelopment: false, readBundle: () => source }),
    /** @type {any} */ ({ tag: encoding << RECORD.ENCODING_SHIFT, start: 0 }),
    /** @type {any} */ ({ bytes: "copy" }),
    /** @type {any} */ ({}),
    /** @type {any} */ ({ origin, channel: 0, account: 0, bytes: source.length }),
  );
  let left = source.length;
  let count = 0;
  for (let value = bundle.next(); value !== END && value !== BROKEN; value = bundle.next()) {
    count += 1;
    left -= RECORD.BUNDLE_LENGTH_BYTES;
    if (!isPacked) {
      const bytes = /** @type {Uint8Array} */ (value);
      left -= bytes.length;
      const isInside = bytes.byteOffset + bytes.length <= source.byteOffset + source.length;
      if (bytes.buffer !== source.buffer || !isInside) throw new Error("bytes of a neighbour");
    }
    if (left < 0) throw new Error("more messages than bytes");
  }
  bundle.release();
  if (settled !== source.length) throw new Error(`${settled} bytes of credit came back`);
  return count;
}
