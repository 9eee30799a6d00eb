/**
 * How long a cluster takes to form: every node listens before the first one dials; the clock of the
 * runner starts with the word to join and stops when the last node has reported all others up. And
 * what a member costs each of the others: how much larger the processes are then.
 */

import { setTimeout as delay } from "node:timers/promises";

import { withChildren } from "../processes.mjs";
import { summarise } from "../statistics.mjs";
import { createErlangs, eventOfAll, namesOf, START_MS } from "./members.mjs";

const NODE = new URL("formation/node.mjs", import.meta.url);
const ERLANG = "foundation_bench_formation";

/** Nodes of a cluster, and what docs/performance.md aims at. Unit of the limits: s. */
const SIZES = [
  { nodes: 5, targets: {} },
  { nodes: 20, targets: { formed: [{ atMost: 0.1 }] } },
  {
    nodes: 40,
    targets: { formed: [{ atMost: 0.5 }], member: [{ vs: "disterl", ratio: 1 / 0.7 }] },
  },
];

const FIGURES = [
  { key: "formed", unit: "s", better: "lower" },
  { key: "member", name: "memory of a member", unit: "KiB", better: "lower", mayBeZero: true },
];

/** What a node does just once, after its cluster has formed, is done by then. Unit: ms. */
const SETTLED_MS = 1000;

/**
 * Tells all nodes to join the first: the seconds until the last is complete, and what the median
 * process has grown by for each link of its nodes. Unit of `member`: KiB.
 */
async function form(children, links) {
  const listening = await eventOfAll(children, "listening");
  const seed = listening[0].address;
  await delay(SETTLED_MS);
  const before = children.map((child) => child.resident());
  const complete = eventOfAll(children, "complete");
  const startedAt = performance.now();
  for (const child of children) child.tell({ seed });
  await complete;
  const formed = (performance.now() - startedAt) / 1000;
  await delay(SETTLED_MS);
  const growths = children.map((child, index) => child.resident() - before[index]);
  return { formed, member: Math.max(0, summarise(growths).median) / 1024 / links };
}

/** Each node keeps five neighbours, and knows all members all the same. */
const PARTIAL = { overlays: { data: { strategy: "hyparview" } } };

function createOurs(processes, nodes, timing, options = {}) {
  const names = namesOf(nodes);
  const perProcess = nodes / processes;
  return () =>
    withChildren(timing.deadlineMs + START_MS, (group) => {
      const children = Array.from({ length: processes }, (_, index) =>
        group.startNode(`ours ${index}`, NODE, {
          names: names.slice(index * perProcess, (index + 1) * perProcess),
          others: nodes - 1,
          options,
        }),
      );
      return form(children, perProcess * (nodes - 1));
    });
}

function createCase({ nodes, targets }, timing) {
  const name = `${nodes} nodes`;
  return {
    case: name,
    figures: FIGURES,
    ours: [
      { case: name, targets, measure: createOurs(nodes, nodes, timing) },
      { case: `${name} in one process`, measure: createOurs(1, nodes, timing) },
      { case: `${name}, hyparview`, measure: createOurs(nodes, nodes, timing, PARTIAL) },
    ],
    peers: [createErlangs(ERLANG, nodes, timing, (children) => form(children, nodes - 1))],
  };
}

/**
 * Full meshes from one seed, and partial views.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const formation = {
  name: "formation",
  question: "seconds from the first dial until every node has seen all others, and bytes of each",
  cases: (timing) => SIZES.map((size) => createCase(size, timing)),
};
