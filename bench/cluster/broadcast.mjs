/**
 * One node says something to all, each a process of its own, and all acknowledge it: how long it
 * takes until the last one has, one broadcast after the other, and how many arrive with 64 at a
 * time.
 */

import { withChildren } from "../processes.mjs";
import { createErlangs, eventOfAll, namesOf, quantile, START_MS } from "./members.mjs";

const NODE = new URL("broadcast/node.mjs", import.meta.url);
const ERLANG = "foundation_bench_broadcast";

/** Broadcasts under way at a time, where the rate is measured. */
const WINDOW = 64;

const FIGURES = [
  { key: "p50", name: "until all have it, p50", unit: "ms", better: "lower" },
  { key: "p99", name: "until all have it, p99", unit: "ms", better: "lower" },
  { key: "rate", name: `received, ${WINDOW} at a time`, unit: "messages/s", better: "higher" },
];

async function measure(nodes, { broadcasts: count, measureMs }) {
  const [{ address: seed }] = await eventOfAll(nodes, "listening");
  const complete = eventOfAll(nodes, "complete");
  for (const node of nodes) node.tell({ seed });
  await complete;
  const [speaker] = nodes;
  speaker.tell({ count, window: WINDOW, measureMs });
  const { timesMs } = await speaker.event("times");
  const { perSecond } = await speaker.event("stream");
  return { p50: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99), rate: perSecond };
}

function createOurs(count, timing, options) {
  return () =>
    withChildren(timing.deadlineMs + START_MS, (group) => {
      const start = (name) =>
        group.startNode(`ours ${name}`, NODE, { name, others: count - 1, options });
      return measure(namesOf(count).map(start), timing);
    });
}

function createCase(timing) {
  const count = timing.someNodes;
  const name = `64 B to ${count} processes`;
  const overlay = (strategy) => ({ overlays: { data: { strategy } } });
  const ours = (suffix, options) => {
    return { case: `${name}${suffix}`, measure: createOurs(count, timing, options) };
  };
  return {
    case: name,
    figures: FIGURES,
    ours: [
      ours(", hyparview", overlay("hyparview")),
      ours(", full mesh with a tree", overlay("fullMesh")),
      ours(", full mesh, to each", {}),
    ],
    peers: [createErlangs(ERLANG, count, timing, (nodes) => measure(nodes, timing))],
  };
}

/**
 * Broadcasts over overlays, beside Erlang's sends to each node.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const broadcast = {
  name: "broadcast",
  question: "until a broadcast has reached all, and how many messages a second",
  cases: (timing) => [createCase(timing)],
};
