/**
 * What a cluster sends that has nothing to say, counted where it passes: whole frames, Ethernet
 * headers and acknowledgements included.
 */

import { setTimeout as delay } from "node:timers/promises";

import { erlangs, namespacesAbsence, oursWith, withCluster } from "./faults/cluster.mjs";

/** Nodes of a cluster, and what docs/performance.md aims at. Unit of the aim: bytes/s a node. */
const SIZES = [{ nodes: 5 }, { nodes: 20, atMost: 800 }];

/** What is left of a cluster's forming has passed by then. Unit: ms. */
const SETTLED_MS = 3000;

const bytesOf = (census) => census.directions.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes a second that each node sends, on average over all. */
async function measureIdle({ network, nodes }, windowMs) {
  await delay(SETTLED_MS);
  const before = bytesOf(await network.census());
  const startedAt = performance.now();
  await delay(windowMs);
  const sent = bytesOf(await network.census()) - before;
  return sent / ((performance.now() - startedAt) / 1000) / nodes.length;
}

function createCase({ nodes, atMost }, timing) {
  const name = `full mesh, ${nodes} nodes`;
  const lastsMs = timing.deadlineMs + timing.cutMs + SETTLED_MS;
  const measure = (start) =>
    withCluster(start, { count: nodes, lastsMs }, (formed) => measureIdle(formed, timing.cutMs));
  const targets = atMost === undefined ? [] : [{ atMost }];
  const variant = (suffix, options) => ({
    case: `${name}${suffix}`,
    absence: namespacesAbsence,
    measure: () => measure(oursWith(options)),
  });
  return {
    case: name,
    unit: "bytes/s",
    better: "lower",
    ours: [{ ...variant(""), targets }, variant(", plain text", { insecure: true })],
    peers: erlangs(measure, timing.cutMs),
  };
}

/**
 * Full meshes at rest.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const idleCost = {
  name: "idle-cost",
  question: "bytes a second that a node sends with nothing to say",
  cases: (timing) => SIZES.map((size) => createCase(size, timing)),
};
