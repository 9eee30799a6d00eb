/** A process that counts byte messages, checks them, and gives back what it held. */

import { release } from "foundation-runtime";

/** How many different messages there are; each begins and ends with its number. */
export const MESSAGES = 8;

/** The messages of a size. */
export function makeMessages(bytes) {
  return Array.from({ length: MESSAGES }, (_, number) => new Uint8Array(bytes).fill(number));
}

/** Processor time of this process so far, all threads. */
export function usedCpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** `isOwn`: the arrays that arrive are the sender's own, which it sends again. */
export function taker(bytes, isOwn) {
  let taken = 0;
  return (message, _self, delivery) => {
    if (delivery.kind === "call") return { taken, cpuMs: usedCpuMs() };
    const number = taken % MESSAGES;
    const isWhole =
      message.length === bytes && message[0] === number && message[bytes - 1] === number;
    if (!isWhole) throw new Error(`message ${taken} is not what was sent`);
    taken++;
    if (!isOwn) release(message);
  };
}
