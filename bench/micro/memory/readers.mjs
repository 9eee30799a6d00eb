/** Who gets a large message: it is told the number that stands at the end of the bytes. */

/** The number at the end of bytes that all of a message is behind. @param {Uint8Array} bytes */
export function numberOf(bytes) {
  const { length } = bytes;
  return bytes[length - 2] | (bytes[length - 1] << 8);
}

/** Writes a number there. */
export function writeNumber(bytes, number) {
  bytes[bytes.length - 2] = number & 0xff;
  bytes[bytes.length - 1] = (number >>> 8) & 0xff;
}

/** A heavy process: it is told whom to answer, and sent bytes. */
export const reader = {
  sink: undefined,
  handle(message, self) {
    if (message instanceof Uint8Array) self.send(this.sink, numberOf(message));
    else this.sink = message;
  },
};
