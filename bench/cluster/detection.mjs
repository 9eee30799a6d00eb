/**
 * How soon all others know that a node is gone: killed, or silent behind a cut network. And what
 * they take a node for whose event loop is blocked.
 */

import { setTimeout as delay } from "node:timers/promises";

import { all, erlangs, namespacesAbsence, oursWith, tell, withCluster } from "./faults/cluster.mjs";

const NODES = 5;
/** Enough that most links rest. */
const NODES_MANY = 20;
const BLOCKED_MS = 10_000;
/** What is left of a cluster's forming has passed by then. Unit: ms. */
const SETTLED_MS = 3000;

/** Tells the others whom to watch, does something to the last node, and times what they see. */
async function timeUntilSeen({ nodes, names }, event, fault) {
  const [lost, ...others] = nodes.toReversed();
  tell(others, { watch: names.at(-1) });
  await all(others, "watching");
  const startedAt = performance.now();
  await fault(lost);
  await all(others, event);
  return (performance.now() - startedAt) / 1000;
}

/** The last node is killed as `kill -9` does it: the system closes its connections. */
const killed = (start, timing) =>
  withCluster(start, { count: NODES, lastsMs: timing.deadlineMs }, (formed) =>
    timeUntilSeen(formed, "down", (lost) => lost.kill()),
  );

/** Nothing comes from the last node any more, and nothing reaches it. */
const silent = (start, lastsMs, count = NODES) =>
  withCluster(start, { count, lastsMs }, async (formed) => {
    // Until links rest that have just come up.
    await delay(SETTLED_MS);
    return timeUntilSeen(formed, "down", () => {
      const others = formed.nodes.map((_, index) => index).slice(0, -1);
      return formed.network.between([count - 1], others, { cut: true });
    });
  });

/** The last node's event loop runs without a pause. */
const blocked = (start, timing) =>
  withCluster(start, { count: NODES, lastsMs: BLOCKED_MS + timing.deadlineMs }, async (formed) => {
    const busy = await timeUntilSeen(formed, "busy", (node) => node.tell({ block: BLOCKED_MS }));
    await all(formed.nodes.slice(0, -1), "idle");
    tell(formed.nodes, { downs: true });
    const told = await all(formed.nodes, "downs");
    return { busy, downs: told.reduce((sum, { count }) => sum + count, 0) };
  });

/** Erlang's own tick takes a minute to notice. Unit: ms. */
const NOTICES_WITHIN_MS = 100_000;

function createCase(name, { targets, measure, peers }) {
  return {
    case: name,
    unit: "s",
    better: "lower",
    ours: [{ case: name, absence: namespacesAbsence, targets, measure }],
    peers,
  };
}

function createBlockedCase(timing) {
  const name = `event loop blocked for 10 s, ${NODES} nodes`;
  const figures = [
    { key: "busy", name: "until all know that it is busy", unit: "s", better: "lower" },
    { key: "downs", name: "down events", unit: "events", better: "lower", mayBeZero: true },
  ];
  const targets = { downs: [{ atMost: 0 }] };
  const measure = () => blocked(oursWith(), timing);
  return {
    case: name,
    figures,
    ours: [{ case: name, absence: namespacesAbsence, targets, measure }],
    peers: [],
  };
}

/**
 * Nodes in network namespaces, one of which is lost.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const detection = {
  name: "detection",
  question: "seconds until all others know that a node is gone; a blocked one is not",
  cases: (timing) => [
    createCase(`killed, ${NODES} nodes`, {
      measure: () => killed(oursWith(), timing),
      peers: erlangs((start) => killed(start, timing)).slice(0, 1),
    }),
    createCase(`silent, ${NODES} nodes`, {
      targets: [{ atMost: 3 }],
      measure: () => silent(oursWith(), timing.deadlineMs),
      peers: erlangs((start) => silent(start, NOTICES_WITHIN_MS), timing.cutMs),
    }),
    createCase(`silent, ${NODES_MANY} nodes`, {
      targets: [{ atMost: 3 }],
      measure: () => silent(oursWith(), timing.deadlineMs, NODES_MANY),
      peers: erlangs((start) => silent(start, NOTICES_WITHIN_MS, NODES_MANY), timing.cutMs),
    }),
    createBlockedCase(timing),
  ],
};
