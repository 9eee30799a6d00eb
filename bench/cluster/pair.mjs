/** A contender made of two Node.js processes: one listens, the other dials, the receiver counts. */

import { withChildren } from "../processes.mjs";

/**
 * @param {object} pair
 * @param {string} pair.name
 * @param {URL} pair.receiver
 * @param {URL} pair.sender
 * @param {"receiver" | "sender"} pair.listener which of them reports the address the other needs
 * @param {"receiver" | "sender"} [pair.counter] which of them reports the result
 * @param {{ deadlineMs: number }} pair.timing
 * @param {object} pair.parameters given to both
 * @param {Record<"receiver" | "sender", string>} [pair.cores] where each may run
 * @param {(group: import("../processes.mjs").ChildGroup) => Promise<object>} [pair.prepare] starts
 *   what both need, such as a broker; its fields are given to both
 * @param {() => Promise<string | undefined>} [pair.absence]
 */
export function createPair(pair) {
  const { name, receiver, sender, listener, counter = "receiver", timing, parameters } = pair;
  const modules = { receiver, sender };
  const dialler = listener === "receiver" ? "sender" : "receiver";
  const measure = () =>
    withChildren(timing.deadlineMs, async (group) => {
      const prepared = await pair.prepare?.(group);
      const ends = {};
      const start = (role, more) => {
        const all = { ...parameters, ...prepared, ...more, timing };
        const options = { cores: pair.cores?.[role] };
        ends[role] = group.startNode(`${name} ${role}`, modules[role], all, options);
        return ends[role];
      };
      const { address } = await start(listener, {}).event("listening");
      start(dialler, { address });
      const other = counter === "receiver" ? "sender" : "receiver";
      const result = await Promise.race([ends[counter].event("result"), ends[other].failure()]);
      return result.messages / result.seconds;
    });
  return { name, absence: pair.absence ?? (async () => undefined), measure };
}
