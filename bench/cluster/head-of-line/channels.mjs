/** Both ends declare the same channels: an urgent one and one for bulk. */
export const CHANNELS = Object.freeze({ control: { priority: 0 }, bulk: { priority: 2 } });

/**
 * The payload beside which is pinged.
 *
 * @param {number} bytes
 * @returns {import("../stream.mjs").Payload}
 */
export const bulkOf = (bytes) => ({ name: "bulk", kind: "bytes", bytes });
