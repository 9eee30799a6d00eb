/**
 * How soon messages arrive again once a cut network has healed: between two nodes, and between all
 * of five that were cut in two parts. Everybody tries to send all the time.
 */

import { setTimeout as delay } from "node:timers/promises";

import { all, erlangs, namespacesAbsence, oursWith, withCluster } from "./faults/cluster.mjs";

/** Traffic of a rival whose minute of silence is not over yet may take as long again. */
const RETURNS_WITHIN_MS = 90_000;

/** Cuts the first nodes off the others, heals, and times until all have answered all. */
async function timeUntilBack({ network, nodes, names }, parted, cutMs) {
  const others = (index) => names.filter((_, other) => other !== index);
  for (const [index, node] of nodes.entries()) node.tell({ talk: others(index).join() });
  await all(nodes, "talking");
  const indexes = nodes.map((_, index) => index);
  const [some, rest] = [indexes.slice(0, parted), indexes.slice(parted)];
  await network.between(some, rest, { cut: true });
  await delay(cutMs);
  for (const index of indexes) {
    const beyond = index < parted ? rest : some;
    nodes[index].tell({ back: beyond.map((other) => names[other]).join() });
  }
  await all(nodes, "waiting");
  const startedAt = performance.now();
  await network.heal();
  await all(nodes, "back");
  return (performance.now() - startedAt) / 1000;
}

function createCase({ count, parted, what }, timing) {
  const name = `${what}, cut for ${timing.cutMs / 1000} s`;
  const lastsMs = timing.deadlineMs + timing.cutMs + RETURNS_WITHIN_MS;
  const measure = (start) =>
    withCluster(start, { count, lastsMs }, (formed) => timeUntilBack(formed, parted, timing.cutMs));
  return {
    case: name,
    unit: "s",
    better: "lower",
    ours: [
      {
        case: name,
        absence: namespacesAbsence,
        targets: [{ atMost: 0.5 }],
        measure: () => measure(oursWith()),
      },
    ],
    peers: erlangs(measure),
  };
}

/**
 * Networks that are cut and heal.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const recovery = {
  name: "recovery",
  question: "seconds from the healing of a cut network until all have answered all",
  cases: (timing) => [
    createCase({ count: 2, parted: 1, what: "2 nodes" }, timing),
    createCase({ count: 5, parted: 2, what: "2 and 3 of 5 nodes" }, timing),
  ],
};
