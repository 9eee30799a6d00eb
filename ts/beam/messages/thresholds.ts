/**
 * From here on counted bytes are better read in place than sent: a slab's handle has a price of its
 * own (`npm run bench -- messages`, docs/messages.md). Unit: bytes.
 */
export const COUNTED_BYTES_MIN = 16 << 10;
