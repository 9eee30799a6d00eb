/** Which suites there are, and the two clocks that they run by. */

import { atcGrid } from "./cluster/atc-grid.mjs";
import { broadcast } from "./cluster/broadcast.mjs";
import { detection } from "./cluster/detection.mjs";
import { formation } from "./cluster/formation.mjs";
import { headOfLine } from "./cluster/head-of-line.mjs";
import { idleCost } from "./cluster/idle-cost.mjs";
import { io } from "./cluster/io.mjs";
import { latency } from "./cluster/latency.mjs";
import { nodeToNode } from "./cluster/node-to-node.mjs";
import { recovery } from "./cluster/recovery.mjs";
import { scale } from "./cluster/scale.mjs";
import { sealed } from "./cluster/sealed.mjs";
import { boundary } from "./micro/boundary.mjs";
import { codec } from "./micro/codec.mjs";
import { isolation } from "./micro/isolation.mjs";
import { limits } from "./micro/limits.mjs";
import { memory } from "./micro/memory.mjs";
import { messages } from "./micro/messages.mjs";
import { processes } from "./micro/processes.mjs";
import { ring } from "./micro/ring.mjs";
import { supervision } from "./micro/supervision.mjs";
import { threads } from "./micro/threads.mjs";
import { services } from "./services.mjs";

/**
 * @typedef {object} Timing
 * @property {number} warmMs before the clock starts
 * @property {number} measureMs of one turn
 * @property {number} deadlineMs after which a turn fails
 * @property {number} cutMs how long a network stays cut before it heals
 * @property {number} someNodes of a cluster in which each node is a process
 * @property {number} broadcasts one after the other
 * @property {number} manyNodes of a large cluster
 * @property {number} loneNodes of one in which each has a process of its own; an even number
 * @property {number} wholeMs after which survivors of it are not waited for any more
 * @property {number} idleMs for which a large cluster is watched that has nothing to say
 *
 * @typedef {object} Suite
 * @property {string} name
 * @property {string} question what it answers, in a line
 * @property {(timing: Timing) => import("./rounds.mjs").BenchCase[]} cases
 */

/**
 * In the order of a run without names: from one call to two processes.
 *
 * @type {readonly Suite[]}
 */
export const SUITES = Object.freeze([
  boundary,
  ring,
  codec,
  threads,
  processes,
  messages,
  supervision,
  isolation,
  memory,
  limits,
  services,
  nodeToNode,
  sealed,
  io,
  latency,
  headOfLine,
  formation,
  broadcast,
  detection,
  recovery,
  idleCost,
  atcGrid,
  scale,
]);

const MANY = {
  someNodes: 20,
  broadcasts: 500,
  manyNodes: 1000,
  loneNodes: 40,
  idleMs: 10_000,
  wholeMs: 60_000,
};
const SOME = {
  someNodes: 8,
  broadcasts: 100,
  manyNodes: 100,
  loneNodes: 8,
  idleMs: 2000,
  wholeMs: 5000,
};

/** Two clocks: one for figures to quote, one for a look. @type {Record<string, Timing>} */
export const TIMINGS = Object.freeze({
  full: { warmMs: 400, measureMs: 1500, deadlineMs: 30_000, cutMs: 30_000, ...MANY },
  quick: { warmMs: 250, measureMs: 400, deadlineMs: 20_000, cutMs: 5000, ...SOME },
});
