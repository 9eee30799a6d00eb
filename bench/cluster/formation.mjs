/**
 * How long a cluster takes to form: every node listens before the first one dials; the clock of the
 * runner starts with the word to join and stops when the last node has reported all others up.
 */

import { withChildren } from "../processes.mjs";
import { erlangAbsence, startNameServer } from "./disterl.mjs";

const NODE = new URL("formation/node.mjs", import.meta.url);

/** Nodes of a cluster, and what docs/performance.md aims at. Unit of the aim: s. */
const SIZES = [{ nodes: 5 }, { nodes: 20, atMost: 0.1 }, { nodes: 40, atMost: 0.5 }];

/** Starting many processes on few cores takes its time, which is not part of the figure. */
const START_MS = 60_000;

const namesOf = (count) => Array.from({ length: count }, (_, index) => `node-${index}`);

/** Tells all nodes to join the first, and returns the seconds until the last is complete. */
async function form(children) {
  const listening = await Promise.all(children.map((child) => child.event("listening")));
  const seed = listening[0].address;
  const complete = Promise.all(children.map((child) => child.event("complete")));
  const startedAt = performance.now();
  for (const child of children) child.tell({ seed });
  await complete;
  return (performance.now() - startedAt) / 1000;
}

function createOurs(processes, nodes, timing) {
  const names = namesOf(nodes);
  const perProcess = nodes / processes;
  return () =>
    withChildren(timing.deadlineMs + START_MS, (group) => {
      const children = Array.from({ length: processes }, (_, index) =>
        group.startNode(`ours ${index}`, NODE, {
          names: names.slice(index * perProcess, (index + 1) * perProcess),
          others: nodes - 1,
        }),
      );
      return form(children);
    });
}

/** Connected to one seed, as libcluster does it; the nodes' full mesh is Erlang's own. */
function createErlang(nodes, timing) {
  const living = { ...timing, deadlineMs: timing.deadlineMs + START_MS };
  return {
    name: "disterl",
    absence: erlangAbsence,
    measure: () =>
      withChildren(living.deadlineMs, async (group) => {
        const startNode = await startNameServer(group, living);
        const children = namesOf(nodes).map((name) =>
          startNode({
            ...{ name, module: "foundation_bench_formation", role: "node", isTold: true },
            words: [String(nodes - 1)],
          }),
        );
        return form(children);
      }),
  };
}

function createCase({ nodes, atMost }, timing) {
  const name = `${nodes} nodes`;
  const targets = atMost === undefined ? [] : [{ atMost }];
  return {
    case: name,
    unit: "s",
    better: "lower",
    ours: [
      { case: name, targets, measure: createOurs(nodes, nodes, timing) },
      { case: `${name} in one process`, measure: createOurs(1, nodes, timing) },
    ],
    peers: [createErlang(nodes, timing)],
  };
}

/**
 * Full meshes from one seed.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const formation = {
  name: "formation",
  question: "seconds from the first dial until every node has seen all others come up",
  cases: (timing) => SIZES.map((size) => createCase(size, timing)),
};
