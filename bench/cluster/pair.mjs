/** A contender made of two Node.js processes: one listens, the other dials, the receiver counts. */

import { withChildren } from "../processes.mjs";

/**
 * @param {object} pair
 * @param {string} pair.name
 * @param {URL} pair.receiver
 * @param {URL} pair.sender
 * @param {"receiver" | "sender"} pair.listener which of them reports the address the other needs
 * @param {{ deadlineMs: number }} pair.timing
 * @param {object} pair.parameters given to both
 * @param {() => Promise<string | undefined>} [pair.absence]
 */
export function createPair({ name, receiver, sender, listener, timing, parameters, absence }) {
  const modules = { receiver, sender };
  const dialler = listener === "receiver" ? "sender" : "receiver";
  const measure = () =>
    withChildren(timing.deadlineMs, async (group) => {
      const ends = {};
      const start = (role, more) => {
        ends[role] = group.startNode(`${name} ${role}`, modules[role], {
          ...parameters,
          ...more,
          timing,
        });
        return ends[role];
      };
      const { address } = await start(listener, {}).event("listening");
      start(dialler, { address });
      const result = await Promise.race([ends.receiver.event("result"), ends.sender.failure()]);
      return result.messages / result.seconds;
    });
  return { name, absence: absence ?? (async () => undefined), measure };
}
