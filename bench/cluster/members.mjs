/** What suites share that measure a cluster of several processes. */

import { withChildren } from "../processes.mjs";
import { erlangAbsence, startNameServer } from "./disterl.mjs";

/** Starting many processes on few cores takes its time, which is not part of any figure. */
export const START_MS = 60_000;

/** What the nodes of a cluster are called. */
export const namesOf = (count) => Array.from({ length: count }, (_, index) => `node-${index}`);

/** The next event of that name of each child. */
export const eventOfAll = (children, name) =>
  Promise.all(children.map((child) => child.event(name)));

/** The least value that so many of all do not exceed. */
export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/**
 * Distributed Erlang as a contender: so many nodes that run a module of bench/peers/disterl, which
 * is told how many others there are. They connect to one seed, as libcluster does it; the full mesh
 * is Erlang's own.
 *
 * @template T
 * @param {string} module
 * @param {number} nodes
 * @param {import("../suites.mjs").Timing} timing
 * @param {(children: import("../processes.mjs").Child[]) => Promise<T>} measure
 */
export function createErlangs(module, nodes, timing, measure) {
  const living = { ...timing, deadlineMs: timing.deadlineMs + START_MS };
  return {
    name: "disterl",
    absence: erlangAbsence,
    measure: () =>
      withChildren(living.deadlineMs, async (group) => {
        const startNode = await startNameServer(group, living);
        const words = [String(nodes - 1)];
        const start = (name) => startNode({ name, module, role: "node", isTold: true, words });
        return measure(namesOf(nodes).map(start));
      }),
  };
}
