/** A message of the grid: its number at both ends, filler between. */

const FILLER = 0x5a;

/**
 * The one message of a sender, numbered anew for each time that it is sent.
 *
 * @param {number} bytes
 */
export const createMessage = (bytes) => Buffer.alloc(bytes, FILLER);

/**
 * @param {Buffer} message
 * @param {number} number
 */
export function stamp(message, number) {
  message.writeUInt32LE(number, 0);
  message.writeUInt32LE(~number >>> 0, message.length - 4);
}

/**
 * The number of a message that is whole.
 *
 * @param {Uint8Array} message
 * @param {number} bytes that it should have
 */
export function numberOf(message, bytes) {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const number = view.getUint32(0, true);
  const isWhole = view.byteLength === bytes && view.getUint32(bytes - 4, true) === ~number >>> 0;
  if (!isWhole) throw new Error(`a message of ${view.byteLength} bytes is torn`);
  return number;
}
