/**
 * From here on counted bytes cost less read in place than sent, in every turn of the bench
 * (`npm run bench -- messages`; bench/micro/messages/calibration.json, docs/messages.md). Below it
 * a slab's handle costs about as much as the copies. Unit: bytes.
 */
export const COUNTED_BYTES_MIN = 16 << 10;
