import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Foundation, type FoundationNode } from "../../index.ts";
import { CommandError, describeFailure, EXIT_CODES } from "../exit.ts";
import { latencyFigures } from "../index/statistics.ts";
import { type SecretArguments, secretOption } from "../secret.ts";
import { PING_HANDLER } from "./handler.ts";

/** The command line of `foundation ping`. */
export interface PingArguments extends SecretArguments {
  /** `host:port` of the node to ping. */
  readonly address: string;
  readonly cluster: string;
  /** Round trips. Unit: pings. */
  readonly count: number;
  /** Time between two pings. Unit: ms. */
  readonly intervalMs: number;
  /** Longest wait for the node, and for each answer. Unit: ms. */
  readonly timeoutMs: number;
}

/** Joins the node's cluster for a moment and measures; 0 if every ping was answered. */
export async function pingCommand(options: PingArguments, stop: AbortSignal): Promise<number> {
  const node = await Foundation.start({
    name: `ping-${randomUUID().slice(0, 8)}`,
    cluster: options.cluster,
    listen: "127.0.0.1:0",
    seeds: [options.address],
    ...secretOption(options),
  });
  try {
    await node.awaitReady({ minimumMembers: 2, timeoutMs: options.timeoutMs });
    return await pingAll(node, nameAt(node, options.address), options, stop);
  } finally {
    await node.leave({ drainMs: 0 });
  }
}

/**
 * The member that listens there. A node may know itself by another host name than the one it was
 * called by, so the same port will do, and the only other member in any case.
 */
function nameAt(node: FoundationNode, address: string): string {
  const others = node.members().filter((member) => !member.self);
  const port = address.slice(address.lastIndexOf(":"));
  const found =
    others.find((member) => member.address === address) ??
    others.find((member) => member.address.endsWith(port)) ??
    (others.length === 1 ? others[0] : undefined);
  if (found !== undefined) return found.name;
  throw new CommandError("node_not_found", `no node answers at ${address}`);
}

async function pingAll(
  node: FoundationNode,
  name: string,
  options: PingArguments,
  stop: AbortSignal,
): Promise<number> {
  const { count, intervalMs, timeoutMs } = options;
  const roundTripsMs: number[] = [];
  print(`PING ${name} at ${options.address}, ${count} times`);
  for (let sequence = 1; sequence <= count && !stop.aborted; sequence++) {
    const sentAt = performance.now();
    try {
      const to = { node: name, name: PING_HANDLER };
      await node.call(to, { sequence }, { timeoutMs, signal: stop });
      const roundTripMs = performance.now() - sentAt;
      roundTripsMs.push(roundTripMs);
      print(`${name} answered ${sequence}: ${roundTripMs.toFixed(3)} ms`);
    } catch (failure) {
      if (!stop.aborted) print(`${name} did not answer ${sequence}: ${describeFailure(failure)}`);
    }
    if (sequence < count) await delay(intervalMs, undefined, { signal: stop }).catch(() => {});
  }
  printSummary(roundTripsMs, count);
  if (stop.aborted) throw stop.reason;
  return roundTripsMs.length === count ? EXIT_CODES.success : EXIT_CODES.failed;
}

function printSummary(roundTripsMs: readonly number[], count: number): void {
  const figures = latencyFigures(roundTripsMs);
  print(`${figures.count} of ${count} answered`);
  if (figures.count === 0) return;
  const { p50Ms, p99Ms, maxMs } = figures;
  print(`p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms, max ${maxMs.toFixed(3)} ms`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
