/** Sizes of the ring benches. */

/** Bytes of a ring in memory of its own: the product's default, which fits the cache. */
export const RING_CAPACITY_BYTES = 256 * 1024;

/** Messages between two publications, at most. */
export const BATCH_MESSAGES_MAX = 64;
