/** Bytes of the measured ring: it fits the cache, which was worth up to twice the rate of 1 MiB. */
export const RING_CAPACITY_BYTES = 256 * 1024;
