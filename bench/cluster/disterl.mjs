/**
 * Distributed Erlang as a contender: compiles its two ends once a run, then starts two plain `erl`
 * nodes on loopback for each round, with a name server of their own so that no daemon stays behind.
 */

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { freePort, programAbsence, scratchFolder } from "../peers/installed.mjs";
import { withChildren } from "../processes.mjs";

const SOURCE = fileURLToPath(
  new URL("../peers/disterl/foundation_bench_disterl.erl", import.meta.url),
);
const run = promisify(execFile);

/** Why something of Erlang is missing. */
const absence = programAbsence(["erl", "erlc", "epmd"]);

let compiled;

/** The folder of the compiled module; gone when the runner ends. */
function compiledFolder() {
  if (compiled === undefined) {
    compiled = scratchFolder();
    execFileSync("erlc", ["-o", compiled, SOURCE], { stdio: ["ignore", "ignore", "inherit"] });
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

/** Runs one round and resolves with messages a second, counted by the receiver. */
function measure(payload, timing) {
  return withChildren(timing.deadlineMs, async (group) => {
    const folder = compiledFolder();
    const port = await freePort();
    const nameServer = group.start("epmd", "epmd", [
      ...["-port", String(port), "-address", "127.0.0.1"],
    ]);
    await awaitNameServer(port, nameServer);
    const cookie = randomBytes(16).toString("hex");
    const startNode = (role, words) =>
      group.start(
        `disterl ${role}`,
        "erl",
        [
          ...["-noinput", "-sname", `${role}@localhost`, "-setcookie", cookie],
          ...["-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"],
          ...["-pa", folder, "-run", "foundation_bench_disterl", role, ...words],
        ],
        { environment: { ERL_EPMD_PORT: String(port), ERL_EPMD_ADDRESS: "127.0.0.1" } },
      );
    const lifeMs = String(timing.deadlineMs);
    const receiver = startNode("receiver", [lifeMs, String(payload.bytes)]);
    const { address } = await receiver.event("listening");
    const sender = startNode("sender", [
      ...[lifeMs, address, String(payload.bytes)],
      ...[String(timing.warmMs), String(timing.measureMs)],
    ]);
    const result = await Promise.race([receiver.event("result"), sender.failure()]);
    return result.messages / result.seconds;
  });
}

/**
 * @param {import("./stream.mjs").Payload} payload
 * @param {{ warmMs: number, measureMs: number, deadlineMs: number }} timing
 */
export function createDisterl(payload, timing) {
  return { name: "disterl", absence, measure: () => measure(payload, timing) };
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
