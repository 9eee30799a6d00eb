/**
 * Round trips one after another: what every contender of `latency` and `head-of-line` makes. Each
 * ping carries a number, and its answer is checked.
 */

import { report } from "../../child.mjs";
import { createBytes } from "../stream.mjs";

/** As small as a useful message is. */
export const PING_BYTES = 16;

/** A turn lasts until it has this many, however busy the machine is; as in native/ping.cc. */
const PINGS_MIN = 16;

/**
 * The percentiles of a list of round trips, in microseconds.
 *
 * @param {readonly number[]} roundTripsMs
 */
export function percentilesOf(roundTripsMs) {
  if (roundTripsMs.length === 0) throw new Error("no ping came back in the measured time");
  const sorted = Float64Array.from(roundTripsMs).sort();
  const microsecondsAt = (share) => sorted[Math.ceil(sorted.length * share) - 1] * 1000;
  return { p50: microsecondsAt(0.5), p99: microsecondsAt(0.99), count: sorted.length };
}

/**
 * Pings for the time of a turn and reports the percentiles as the event "pings".
 *
 * @param {{ warmMs: number, measureMs: number }} timing
 * @param {(ping: Uint8Array) => void} send
 * @returns {(pong: Uint8Array) => void} to be called with each answer
 */
export function startPinging({ warmMs, measureMs }, send) {
  const roundTripsMs = [];
  const ping = createBytes(PING_BYTES);
  const numbers = new Uint32Array(ping.buffer);
  const warmUntil = performance.now() + warmMs;
  const until = warmUntil + measureMs;
  let sentAt = performance.now();
  send(ping);
  return (pong) => {
    const answeredAt = performance.now();
    const number = pong[0] | (pong[1] << 8) | (pong[2] << 16) | (pong[3] << 24);
    if (pong.length !== PING_BYTES || number >>> 0 !== numbers[0]) {
      throw new Error(`ping ${numbers[0]} was answered by ${number >>> 0}`);
    }
    if (sentAt >= warmUntil) roundTripsMs.push(answeredAt - sentAt);
    if (answeredAt >= until && roundTripsMs.length >= PINGS_MIN) {
      report("pings", percentilesOf(roundTripsMs));
      return;
    }
    numbers[0] += 1;
    sentAt = performance.now();
    send(ping);
  };
}
