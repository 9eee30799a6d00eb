/** What both ends of the NATS rival agree on. */

export const SUBJECTS = Object.freeze({
  stream: "bench.stream",
  taken: "bench.taken",
  echo: "bench.echo",
});

const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_MESSAGES_MAX = 16_384;

/**
 * Wide enough that the sender seldom waits, and a quarter of what the server would hold for a slow
 * subscriber.
 *
 * @param {import("../../cluster/stream.mjs").Payload} payload
 */
export function windowOf(payload) {
  const fitting = Math.floor(WINDOW_BYTES / (payload.bytes ?? 1));
  const messages = Math.max(8, Math.min(WINDOW_MESSAGES_MAX, fitting));
  return { messages, acknowledgeEvery: messages >>> 3 };
}
