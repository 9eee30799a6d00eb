/**
 * Clusters in network namespaces, ours and Erlang's: the same commands to both, so that what a
 * suite measures is written once.
 */

import { randomBytes } from "node:crypto";

import { FaultyNetwork, networkAbsence } from "../../../test/network/network.mjs";
import { withChildren } from "../../processes.mjs";
import { compiledFolder, erlangAbsence } from "../disterl.mjs";

const NODE = new URL("node.mjs", import.meta.url);

/** Starting many processes on few cores takes its time, which is no part of any figure. */
const START_MS = 60_000;
/** Of every Erlang node in its own namespace, where no name server is needed to find it. */
const ERLANG_PORT = 9100;
const LISTEN_PORT = 9200;

/**
 * @typedef {object} Formed a cluster whose nodes all see one another
 * @property {FaultyNetwork} network
 * @property {readonly import("../../processes.mjs").Child[]} nodes
 * @property {readonly string[]} names
 *
 * @typedef {(group: import("../../processes.mjs").ChildGroup, network: FaultyNetwork,
 *   count: number, lifeMs: number) => { nodes: import("../../processes.mjs").Child[],
 *   names: string[] }} Start
 */

/** Why there can be no namespaces here. */
export const namespacesAbsence = async () => networkAbsence();

/**
 * Our nodes, with these options beside their defaults.
 *
 * @param {object} [options] without any, links are sealed: they leave the loopback
 * @returns {Start}
 */
export function oursWith(options = { secret: randomBytes(16).toString("hex") }) {
  return (group, network, count) => {
    const names = Array.from({ length: count }, (_, index) => `node-${index}`);
    const nodes = names.map((name, index) => {
      const listen = `${network.addressOf(index)}:${LISTEN_PORT}`;
      const parameters = { name, listen, others: count - 1, ...options };
      return group.startNode(`ours ${name}`, NODE, parameters, { within: network.within(index) });
    });
    return { nodes, names };
  };
}

/**
 * Nodes of Distributed Erlang.
 *
 * @param {number} [tickSeconds] `net_ticktime`; Erlang's own default, a minute, without
 * @returns {Start}
 */
function erlangWith(tickSeconds) {
  return (group, network, count, lifeMs) => {
    const cookie = randomBytes(16).toString("hex");
    const folder = compiledFolder();
    const indexes = Array.from({ length: count }, (_, index) => index);
    const names = indexes.map((index) => `node-${index}@${network.addressOf(index)}`);
    const tick = tickSeconds === undefined ? [] : ["-kernel", "net_ticktime", `${tickSeconds}`];
    const nodes = names.map((name, index) => {
      const words = [
        ...["-noshell", "-name", name, "-setcookie", cookie, "-pa", folder, ...tick],
        ...["-start_epmd", "false", "-erl_epmd_port", `${ERLANG_PORT}`],
        ...["-run", "foundation_bench_faults", "node", `${lifeMs}`, `${count - 1}`],
      ];
      return group.start(`disterl ${name}`, "erl", words, { within: network.within(index) });
    });
    return { nodes, names };
  };
}

/**
 * Runs a turn with a cluster that has formed; it and its network are gone afterwards.
 *
 * @template T
 * @param {Start} start
 * @param {{ count: number, lastsMs: number }} plan `lastsMs`: the most that the turn takes once the
 *   cluster has formed
 * @param {(formed: Formed) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withCluster(start, { count, lastsMs }, body) {
  const network = await FaultyNetwork.open({ nodes: count });
  const lifeMs = START_MS + lastsMs;
  try {
    return await withChildren(lifeMs, async (group) => {
      const { nodes, names } = start(group, network, count, lifeMs);
      const [{ address }] = await all(nodes, "listening");
      tell(nodes, { seed: address });
      await all(nodes, "complete");
      return await body({ network, nodes, names });
    });
  } finally {
    await network.close();
  }
}

/** Resolves with what each of these nodes reports under that name. */
export function all(nodes, event) {
  return Promise.all(nodes.map((node) => node.event(event)));
}

/** Tells each of these nodes the same. */
export function tell(nodes, command) {
  for (const node of nodes) node.tell(command);
}

/** Distributed Erlang as it comes, and as quick to notice as ours is. */
const TICKS = [{ name: "disterl" }, { name: "disterl tick 5", tickSeconds: 5 }];

/** A look takes seconds. Unit: ms. */
const LOOK_MS = 10_000;

/**
 * Distributed Erlang as a contender, once for each tick time.
 *
 * @param {(start: Start) => Promise<import("../../rounds.mjs").Outcome>} measure
 * @param {number} [lastsMs] how long a turn takes at least: where that is a look, Erlang's own
 *   tick, which passes four times a minute, is left out
 */
export function erlangs(measure, lastsMs = Number.POSITIVE_INFINITY) {
  return TICKS.map(({ name, tickSeconds }) => ({
    name,
    absence: async () => {
      if (tickSeconds === undefined && lastsMs < LOOK_MS) return "too slow for a quick run";
      return networkAbsence() ?? erlangAbsence();
    },
    measure: () => measure(erlangWith(tickSeconds)),
  }));
}
