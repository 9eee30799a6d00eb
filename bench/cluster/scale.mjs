/**
 * Many nodes with real sockets on this machine, spread over a few processes: how long they take to
 * form one cluster, how a broadcast reaches them, what they cost while idle, and how fast they are
 * whole again when half of the processes are killed at once. And as a control the same of a few
 * nodes with a process each.
 */

import { setTimeout as delay } from "node:timers/promises";

import { withChildren } from "../processes.mjs";
import { eventOfAll, quantile } from "./members.mjs";
import { loopbackAbsence, withLoopback } from "./scale/loopback.mjs";

const NODES = new URL("scale/nodes.mjs", import.meta.url);

/** Of a large cluster; half of them are killed together. */
const PROCESSES = 4;
/** What is left of a cluster's forming has passed by then. Unit: ms. */
const SETTLED_MS = 3000;
/** Broadcasts of one speaker that make its tree. */
const TREE_AFTER = 5;
/** Thousands of sockets on few cores take their time. */
const DEADLINE_MS = 240_000;

const FIGURES = [
  { key: "formed", name: "formed", unit: "s", better: "lower" },
  { key: "reachedP50", name: "broadcast p50", unit: "ms", better: "lower" },
  { key: "reachedP99", name: "broadcast p99", unit: "ms", better: "lower" },
  { key: "hopsP99", name: "broadcast p99 of links", unit: "links", better: "lower" },
  { key: "missed", name: "missed", unit: "nodes", better: "lower", mayBeZero: true },
  { key: "idle", name: "idle", unit: "B/s a node", better: "lower" },
  { key: "memory", name: "memory", unit: "KiB a node", better: "lower" },
  { key: "linkMemory", name: "links", unit: "KiB a node", better: "lower", mayBeZero: true },
  { key: "whole", name: "whole again", unit: "s", better: "lower" },
];

/** What docs/performance.md aims at for a thousand. */
const AIMS = { formed: [{ atMost: 10 }], idle: [{ atMost: 1000 }] };
/** Nodes that those aims are about. */
const AIMED_AT = 1000;

const tellAll = (children, fields) => {
  for (const child of children) child.tell(fields);
};

/** Tells all to join the first node; seconds until each node's own events have told it of all. */
async function form(children, listening) {
  const formed = eventOfAll(children, "formed");
  const startedAt = performance.now();
  tellAll(children, { step: "join", seed: listening[0].address });
  await formed;
  return (performance.now() - startedAt) / 1000;
}

/** What one node says to all: how long it took to each, and how many it never reached. */
async function reach(children, speaker) {
  const ready = eventOfAll(children, "ready");
  const heard = eventOfAll(children, "heard");
  tellAll(children, { step: "hear", speaker });
  await ready;
  children[0].tell({ step: "broadcast" });
  const reports = await heard;
  const times = reports.flatMap(({ timesMs }) => timesMs);
  const missed = reports.reduce((sum, each) => sum + each.missed, 0);
  return { reachedP50: quantile(times, 0.5), reachedP99: quantile(times, 0.99), missed };
}

/** Links that the last broadcast came over, to 99 % of the nodes. */
async function countHops(children) {
  const counted = eventOfAll(children, "hops");
  tellAll(children, { step: "count" });
  const hops = (await counted).flatMap((each) => each.hops);
  await delay(SETTLED_MS);
  return quantile(hops, 0.99);
}

/** Bytes a second and node on the interface while nothing is sent. */
async function idle(loopback, nodes, measureMs) {
  const [bytes, startedAt] = [loopback.bytes(), performance.now()];
  await delay(measureMs);
  return (loopback.bytes() - bytes) / ((performance.now() - startedAt) / 1000) / nodes;
}

/** Kills half of the processes; seconds until each survivor has just the survivors, if in time. */
async function survive(children, withinMs) {
  const half = children.length / 2;
  const [dead, living] = [children.slice(half), children.slice(0, half)];
  const whole = eventOfAll(living, "whole");
  tellAll(living, { step: "survive", withinMs });
  const startedAt = performance.now();
  await Promise.all(dead.map((child) => child.kill()));
  const isWhole = (await whole).every((each) => each.isWhole);
  return isWhole ? { whole: (performance.now() - startedAt) / 1000 } : {};
}

async function run(group, loopback, { nodes, processes }, timing) {
  const each = nodes / processes;
  const start = (_, index) => {
    const names = Array.from({ length: each }, (_, at) => `node-${index * each + at}`);
    const parameters = { names, others: nodes - 1, survivors: nodes / 2 - 1 };
    return group.startNode(`nodes ${index}`, NODES, parameters, { within: loopback.within });
  };
  const children = Array.from({ length: processes }, start);
  const listening = await eventOfAll(children, "listening");
  const formed = await form(children, listening);
  const weights = eventOfAll(children, "weight");
  tellAll(children, { step: "weigh" });
  const weighed = await weights;
  const sum = (key) => weighed.reduce((total, weight) => total + weight[key], 0) / nodes / 1024;
  const speaker = listening[0].address;
  await delay(SETTLED_MS);
  for (let at = 0; at < TREE_AFTER; at++) await reach(children, speaker);
  const reached = await reach(children, speaker);
  const idleBytes = await idle(loopback, nodes, timing.idleMs);
  const hopsP99 = await countHops(children);
  const whole = await survive(children, timing.wholeMs);
  const memory = { memory: sum("total"), linkMemory: Math.max(0, sum("links")) };
  return { formed, ...reached, hopsP99, idle: idleBytes, ...memory, ...whole };
}

/** So many nodes in so many processes, an even number. */
function createCase(nodes, processes, timing) {
  const name = `${nodes} nodes in ${processes} processes, hyparview`;
  const measure = () =>
    withLoopback((loopback) =>
      withChildren(DEADLINE_MS, (group) => run(group, loopback, { nodes, processes }, timing)),
    );
  const targets = nodes === AIMED_AT ? AIMS : {};
  const ours = [{ case: name, absence: loopbackAbsence, targets, measure }];
  return { case: name, figures: FIGURES, ours, peers: [] };
}

/**
 * Many nodes with real sockets.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const scale = {
  name: "scale",
  question: "many nodes with real sockets: to form, to reach, to idle, to lose half of them",
  cases: (timing) => [
    createCase(timing.manyNodes, PROCESSES, timing),
    createCase(timing.loneNodes, timing.loneNodes, timing),
  ],
};
