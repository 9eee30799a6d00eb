/**
 * Many nodes with real sockets on this machine, spread over a few processes: how long they take to
 * form one cluster, how a broadcast reaches them, what they cost while idle, and how fast they are
 * whole again when half of the processes are killed at once.
 */

import { readFileSync } from "node:fs";

import { withChildren } from "../processes.mjs";

const NODES = new URL("scale/nodes.mjs", import.meta.url);

/** Half of them are killed together. */
const PROCESSES = 4;
/** Thousands of sockets on few cores take their time. */
const DEADLINE_MS = 240_000;

const FIGURES = [
  { key: "formed", name: "formed", unit: "s", better: "lower" },
  { key: "reachedP50", name: "broadcast p50", unit: "ms", better: "lower" },
  { key: "reachedP99", name: "broadcast p99", unit: "ms", better: "lower" },
  { key: "missed", name: "missed", unit: "nodes", better: "lower", mayBeZero: true },
  { key: "idle", name: "idle", unit: "B/s a node", better: "lower" },
  { key: "memory", name: "memory", unit: "KiB a node", better: "lower" },
  { key: "linkMemory", name: "links", unit: "KiB a node", better: "lower", mayBeZero: true },
  { key: "whole", name: "whole again", unit: "s", better: "lower" },
];

/** Sizes, and what docs/performance.md aims at for a thousand. */
const SIZES = {
  full: { nodes: 1000, targets: { formed: [{ atMost: 10 }], idle: [{ atMost: 1000 }] } },
  quick: { nodes: 200, targets: {} },
};

/** Bytes that the loopback interface has carried, headers and all. */
function loopbackBytes() {
  return Number(readFileSync("/sys/class/net/lo/statistics/tx_bytes", "utf8"));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const tellAll = (children, fields) => {
  for (const child of children) child.tell(fields);
};

const eventOfAll = (children, name) => Promise.all(children.map((child) => child.event(name)));

/** Tells all to join the first node; seconds until each node's own events have told it of all. */
async function form(children, listening) {
  const formed = eventOfAll(children, "formed");
  const startedAt = performance.now();
  tellAll(children, { step: "join", seed: listening[0].address });
  await formed;
  return (performance.now() - startedAt) / 1000;
}

/** What one node says to all: how long it took to each, and how many it never reached. */
async function reach(children) {
  const heard = eventOfAll(children, "heard");
  tellAll(children, { step: "listen" });
  children[0].tell({ step: "broadcast" });
  const reports = await heard;
  const times = reports.flatMap(({ timesMs }) => timesMs).sort((a, b) => a - b);
  const quantile = (q) => times[Math.min(times.length - 1, Math.floor(times.length * q))];
  const missed = reports.reduce((sum, report) => sum + report.missed, 0);
  return { reachedP50: quantile(0.5), reachedP99: quantile(0.99), missed };
}

/** Bytes a second and node on the interface while nothing is sent. */
async function idle(nodes, measureMs) {
  const [bytes, startedAt] = [loopbackBytes(), performance.now()];
  await pause(measureMs);
  return (loopbackBytes() - bytes) / ((performance.now() - startedAt) / 1000) / nodes;
}

/** Kills half of the processes; seconds until each survivor has just the survivors as members. */
async function survive(children) {
  const [dead, living] = [children.slice(PROCESSES / 2), children.slice(0, PROCESSES / 2)];
  const whole = eventOfAll(living, "whole");
  tellAll(living, { step: "survive" });
  const startedAt = performance.now();
  await Promise.all(dead.map((child) => child.kill()));
  await whole;
  return (performance.now() - startedAt) / 1000;
}

async function run(group, nodes, timing) {
  const each = nodes / PROCESSES;
  const children = Array.from({ length: PROCESSES }, (_, index) =>
    group.startNode(`nodes ${index}`, NODES, {
      names: Array.from({ length: each }, (_, k) => `node-${index * each + k}`),
      others: nodes - 1,
      survivors: nodes / 2 - 1,
    }),
  );
  const listening = await eventOfAll(children, "listening");
  const formed = await form(children, listening);
  tellAll(children, { step: "weigh" });
  const weights = await eventOfAll(children, "weight");
  const sum = (key) => weights.reduce((total, weight) => total + weight[key], 0) / nodes / 1024;
  await reach(children); // the first one makes the tree
  const reached = await reach(children);
  const idleBytes = await idle(nodes, Math.max(timing.measureMs, 1000) * 5);
  const whole = await survive(children);
  const memory = { memory: sum("total"), linkMemory: Math.max(0, sum("links")) };
  return { formed, ...reached, idle: idleBytes, ...memory, whole };
}

function createCase({ nodes, targets }, timing) {
  const name = `${nodes} nodes in ${PROCESSES} processes, hyparview`;
  const measure = () => withChildren(DEADLINE_MS, (group) => run(group, nodes, timing));
  return { case: name, figures: FIGURES, ours: [{ case: name, targets, measure }], peers: [] };
}

/**
 * A thousand nodes with real sockets.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const scale = {
  name: "scale",
  question: "many nodes with real sockets: to form, to reach, to idle, to lose half of them",
  cases: (timing) => [createCase(timing.isQuick ? SIZES.quick : SIZES.full, timing)],
};
