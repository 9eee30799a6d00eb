/**
 * Idle round trips, every thread pinned alike: where two threads run decides more than what they
 * do, so ours stands beside a C program with the same threads and wake-ups on the same cores.
 */

import { existsSync } from "node:fs";
import { cpus } from "node:os";

import { programOf } from "../native/build.mjs";
import { supportsOptions } from "../ours.mjs";
import { packageAbsence } from "../peers/installed.mjs";
import { natsAbsence, startNatsServer } from "../peers/nats/server.mjs";
import { withChildren } from "../processes.mjs";
import { createErlangPing } from "./disterl.mjs";

const PEERS = new URL("../peers/", import.meta.url);
const OURS = new URL("latency/", import.meta.url);

/** Percentiles are figures of one turn: they come from the same round trips. */
export const PERCENTILES = Object.freeze([
  { key: "p50", name: "p50", unit: "µs", better: "lower" },
  { key: "p99", name: "p99", unit: "µs", better: "lower" },
]);

/** Where the caller's process and the echo's run. */
const PLACEMENTS = [
  { name: "a core each", caller: "0", echo: "1" },
  { name: "one core", caller: "0", echo: "0" },
];

/** How a node waits for messages; a build that lacks the options leaves the variant out. */
const ARRANGEMENTS = [
  { name: "", nodeOptions: {}, reference: "c" },
  { name: " io isolate", nodeOptions: { io: "isolate" }, reference: "c-inline" },
  { name: " spin", nodeOptions: { poll: "spin" }, reference: "c-spin" },
  {
    name: " io isolate, spin",
    nodeOptions: { io: "isolate", poll: "spin" },
    reference: "c-inline-spin",
  },
];

const isPinnable = async () =>
  cpus().length > 1 ? undefined : "one core: the two processes cannot be kept apart";

async function programAbsence() {
  const isBuilt = existsSync(programOf("ping"));
  return isBuilt ? undefined : "node bench/native/build.mjs builds it";
}

const pingsOf = ({ p50, p99 }) => ({ p50, p99 });

/** Two modules of Node.js, the echo first; `prepare` starts what both need. */
function createPinger({ name, caller, echo, placement, parameters, prepare, absence }, timing) {
  return {
    name,
    absence: absence ?? (async () => undefined),
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const all = { ...parameters, ...(await prepare?.(group)), timing };
        const at = (cores) => ({ cores });
        const other = group.startNode(`${name} echo`, echo, all, at(placement.echo));
        const { address } = await other.event("listening");
        const plan = { ...all, address };
        const one = group.startNode(`${name} caller`, caller, plan, at(placement.caller));
        return pingsOf(await Promise.race([one.event("pings"), other.failure()]));
      }),
  };
}

/** The C program in two processes. */
function createFloor(name, threads, wait, placement, timing) {
  const clock = [String(timing.warmMs), String(timing.measureMs)];
  return {
    name,
    absence: programAbsence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const program = programOf("ping");
        const words = [threads, wait];
        const other = group.start("C echo", program, ["echo", ...words], {
          cores: placement.echo,
        });
        const { address } = await other.event("listening");
        const port = address.split(":")[1];
        const one = group.start("C caller", program, ["call", ...words, port, ...clock], {
          cores: placement.caller,
        });
        return pingsOf(await Promise.race([one.event("pings"), other.failure()]));
      }),
  };
}

/** What docs/performance.md aims at; what blocks stands beside C, what spins beside its like. */
function targetsOf({ name, reference }, by, placement) {
  if (by !== "call") return {};
  if (!name.includes("spin")) return { p50: [{ vs: reference, ratio: 0.77 }] };
  // Two that spin on one core wait for each other's time slice.
  return placement.caller === placement.echo ? {} : { p50: [{ vs: "blocking", ratio: 2 }] };
}

function createVariant(arrangement, by, placement, timing) {
  const caseOf = (name) => `${by}${name}, ${placement.name}`;
  const variant = {
    case: caseOf(arrangement.name),
    absence: () => supportsOptions(arrangement.nodeOptions),
    targets: targetsOf(arrangement, by, placement),
    measure: createPinger(
      {
        name: "ours",
        caller: new URL("ours-caller.mjs", OURS),
        echo: new URL("ours-echo.mjs", OURS),
        placement,
        parameters: { by, nodeOptions: arrangement.nodeOptions },
      },
      timing,
    ).measure,
  };
  if (arrangement.name.includes("spin")) {
    variant.beside = { blocking: caseOf(arrangement.name.replace(/,? spin/, "")) };
  }
  return variant;
}

function createRivals(placement, timing) {
  const peer = (name, folder, files, more) =>
    createPinger(
      {
        name,
        caller: new URL(`${folder}/${files.caller}`, PEERS),
        echo: new URL(`${folder}/${files.echo}`, PEERS),
        placement,
        ...more,
      },
      timing,
    );
  return [
    createFloor("c", "relayed", "block", placement, timing),
    createFloor("c-inline", "inline", "block", placement, timing),
    createFloor("c-spin", "relayed", "spin", placement, timing),
    createFloor("c-inline-spin", "inline", "spin", placement, timing),
    peer("socket", "socket", { caller: "caller.mjs", echo: "echo.mjs" }),
    peer(
      "zeromq",
      "zeromq",
      { caller: "caller.mjs", echo: "echo.mjs" },
      {
        absence: packageAbsence("zeromq"),
      },
    ),
    peer(
      "nats",
      "nats",
      { caller: "ping.mjs", echo: "callee.mjs" },
      {
        prepare: async (group) => ({
          server: await startNatsServer(group, { cores: placement.echo }),
        }),
        absence: natsAbsence,
      },
    ),
    createErlangPing(placement, timing),
  ];
}

function createProcessCase(placement, timing) {
  return {
    case: placement.name,
    figures: PERCENTILES,
    ours: ["call", "send"].flatMap((by) =>
      ARRANGEMENTS.map((arrangement) => createVariant(arrangement, by, placement, timing)),
    ),
    peers: createRivals(placement, timing).map((rival) => ({
      ...rival,
      absence: async () => (await isPinnable()) ?? rival.absence(),
    })),
  };
}

/** One process with a worker, beside two bare threads and `postMessage`. */
function createThreadsCase(timing) {
  const cores = cpus().length > 1 ? "0,1" : "0";
  const measureNode = (module) => () =>
    withChildren(timing.deadlineMs, async (group) => {
      const child = group.startNode("threads", module, { timing }, { cores });
      return pingsOf(await child.event("pings"));
    });
  const measureFloor = (wait) => () =>
    withChildren(timing.deadlineMs, async (group) => {
      const words = ["pair", wait, String(timing.warmMs), String(timing.measureMs)];
      const child = group.start("C pair", programOf("ping"), words, { cores });
      return pingsOf(await child.event("pings"));
    });
  const name = "call, worker and main thread";
  return {
    case: name,
    figures: PERCENTILES,
    ours: [{ case: name, measure: measureNode(new URL("ours-threads.mjs", OURS)) }],
    peers: [
      { name: "c", absence: programAbsence, measure: measureFloor("block") },
      { name: "c-spin", absence: programAbsence, measure: measureFloor("spin") },
      {
        name: "post-message",
        absence: async () => undefined,
        measure: measureNode(new URL("post-message/ping.mjs", PEERS)),
      },
    ],
  };
}

/**
 * Calls and sends of 16 B, one at a time, on cores that are named.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const latency = {
  name: "latency",
  question: "idle round trips on fixed cores, beside C with the same threads and wake-ups",
  cases: (timing) => [
    ...PLACEMENTS.map((placement) => createProcessCase(placement, timing)),
    createThreadsCase(timing),
  ],
};
