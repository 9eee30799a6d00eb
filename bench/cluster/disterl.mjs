/**
 * Distributed Erlang as a contender: compiles its ends once a run, then starts plain `erl` nodes on
 * loopback for each round, with a name server of their own so that no daemon stays behind.
 */

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { freePort, programAbsence, scratchFolder } from "../peers/installed.mjs";
import { withChildren } from "../processes.mjs";

const SOURCES = fileURLToPath(new URL("../peers/disterl/", import.meta.url));
const run = promisify(execFile);

/** Why Erlang cannot be measured here. */
export const erlangAbsence = programAbsence(["erl", "erlc", "epmd"]);

let compiled;

/** The folder of the compiled modules; gone when the runner ends. */
export function compiledFolder() {
  if (compiled === undefined) {
    compiled = scratchFolder();
    const files = readdirSync(SOURCES).map((name) => join(SOURCES, name));
    execFileSync("erlc", ["-o", compiled, ...files], { stdio: ["ignore", "ignore", "inherit"] });
  }
  return compiled;
}

/** Resolves once the name server answers; `epmd -names` is its own way to ask. */
async function awaitNameServer(port, nameServer) {
  let alive = true;
  nameServer.failure().catch(() => {
    alive = false;
  });
  while (alive) {
    try {
      await run("epmd", ["-port", String(port), "-names"]);
      return;
    } catch {
      // Not listening yet: asking again takes a process start, which is pause enough.
    }
  }
  await nameServer.failure();
}

/**
 * @typedef {object} ErlangNode
 * @property {string} name before the `@`
 * @property {string} module of bench/peers/disterl
 * @property {string} role the exported function
 * @property {readonly string[]} words its arguments, after the time of life
 * @property {string} [cores] that it may run on
 * @property {number} [listenPort] of its distribution; the system's choice without
 * @property {number} [proxyPort] that it dials instead of what the name server says
 * @property {boolean} [isTold] reads its standard input
 */

const listenWords = (port) =>
  ["inet_dist_listen_min", "inet_dist_listen_max"].flatMap((key) => ["-kernel", key, port]);

/**
 * Starts a name server in a turn's group; resolves with what starts nodes that find one another
 * through it.
 *
 * @param {import("../processes.mjs").ChildGroup} group
 * @param {{ deadlineMs: number }} timing
 * @returns {Promise<(node: ErlangNode) => import("../processes.mjs").Child>}
 */
export async function startNameServer(group, timing) {
  const folder = compiledFolder();
  const port = await freePort();
  const place = ["-port", String(port), "-address", "127.0.0.1"];
  await awaitNameServer(port, group.start("epmd", "epmd", place));
  const cookie = randomBytes(16).toString("hex");
  const wordsOf = (node) => [
    ...[node.isTold ? "-noshell" : "-noinput", "-sname", `${node.name}@localhost`],
    ...["-setcookie", cookie, "-start_epmd", "false", "-pa", folder],
    ...["-kernel", "inet_dist_use_interface", "{127,0,0,1}"],
    ...(node.listenPort === undefined ? [] : listenWords(String(node.listenPort))),
    ...(node.proxyPort === undefined ? [] : ["-epmd_module", "foundation_bench_epmd"]),
    ...["-run", node.module, node.role, String(timing.deadlineMs), ...node.words],
  ];
  return (node) =>
    group.start(`disterl ${node.name}`, "erl", wordsOf(node), {
      cores: node.cores,
      environment: {
        ERL_EPMD_PORT: String(port),
        ERL_EPMD_ADDRESS: "127.0.0.1",
        FOUNDATION_BENCH_PROXY_PORT: String(node.proxyPort),
      },
    });
}

/** Runs one round and resolves with messages a second, counted by the receiver. */
function measure(payload, timing) {
  return withChildren(timing.deadlineMs, async (group) => {
    const startNode = await startNameServer(group, timing);
    const start = (role, words) =>
      startNode({ name: role, module: "foundation_bench_disterl", role, words });
    const receiver = start("receiver", [String(payload.bytes)]);
    const { address } = await receiver.event("listening");
    const clock = [String(timing.warmMs), String(timing.measureMs)];
    const sender = start("sender", [address, String(payload.bytes), ...clock]);
    const result = await Promise.race([receiver.event("result"), sender.failure()]);
    return result.messages / result.seconds;
  });
}

/**
 * @param {import("./stream.mjs").Payload} payload
 * @param {{ warmMs: number, measureMs: number, deadlineMs: number }} timing
 */
export function createDisterl(payload, timing) {
  return { name: "disterl", absence: erlangAbsence, measure: () => measure(payload, timing) };
}

/**
 * Both ends of a round trip; the turn's outcome is what they report.
 *
 * @param {import("../processes.mjs").ChildGroup} group
 * @param {object} load
 * @param {number} load.bulkBytes 0 is no bulk
 * @param {boolean} load.isPinging
 * @param {{ caller?: string, echo?: string }} [load.cores]
 * @param {(port: number) => Promise<number>} [load.proxy] from the port of the receiver to the one
 *   that stands before it
 * @param {import("../suites.mjs").Timing} timing
 */
export async function startErlangPing(group, { bulkBytes, isPinging, cores = {}, proxy }, timing) {
  const startNode = await startNameServer(group, timing);
  const module = "foundation_bench_ping";
  const listenPort = proxy === undefined ? undefined : await freePort();
  const receiver = startNode({
    ...{ name: "receiver", module, role: "receiver", words: [String(bulkBytes)] },
    ...{ cores: cores.echo, listenPort },
  });
  const { address } = await receiver.event("listening");
  const clock = [String(timing.warmMs), String(timing.measureMs)];
  const sender = startNode({
    ...{ name: "sender", module, role: "sender", cores: cores.caller },
    words: [address, String(bulkBytes), String(isPinging), ...clock],
    proxyPort: await proxy?.(listenPort),
  });
  return { receiver, sender };
}

/**
 * Idle round trips on fixed cores.
 *
 * @param {{ caller: string, echo: string }} placement
 * @param {import("../suites.mjs").Timing} timing
 */
export function createErlangPing(placement, timing) {
  return {
    name: "disterl",
    absence: erlangAbsence,
    measure: () =>
      withChildren(timing.deadlineMs, async (group) => {
        const load = { bulkBytes: 0, isPinging: true, cores: placement };
        const { receiver, sender } = await startErlangPing(group, load, timing);
        const { p50, p99 } = await Promise.race([sender.event("pings"), receiver.failure()]);
        return { p50, p99 };
      }),
  };
}

/** The OTP release in use, or undefined when Erlang is not installed. */
export async function otpRelease() {
  try {
    const { stdout } = await run("erl", [
      ...["-noinput", "-eval"],
      'io:format("~s", [erlang:system_info(otp_release)]), halt().',
    ]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
