import { Foundation, type FoundationNode } from "../../index.ts";
import { EXIT_CODES } from "../exit.ts";
import { whenAborted } from "../interruption.ts";
import { PING_HANDLER } from "../ping/handler.ts";
import { type SecretArguments, secretOption } from "../secret.ts";

/** The command line of `foundation node`. */
export interface NodeArguments extends SecretArguments {
  readonly name: string;
  readonly cluster: string;
  /** `host:port`; port 0 lets the system choose. */
  readonly listen: string;
  /** `host:port` of nodes to join; the node keeps trying until one answers. */
  readonly join: readonly string[];
  /** How other nodes are found besides. */
  readonly discovery?: "auto";
}

/** Time to send what is still waiting before the process ends. Unit: ms. */
const LEAVE_DRAIN_MS = 2_000;

/** Runs one node until a stop signal, then leaves; prints a line for each change it hears of. */
export async function nodeCommand(options: NodeArguments, stop: AbortSignal): Promise<number> {
  const node = await Foundation.start({
    name: options.name,
    cluster: options.cluster,
    listen: options.listen,
    seeds: [...options.join],
    ...(options.discovery !== undefined && { discovery: options.discovery }),
    ...secretOption(options),
  });
  try {
    node.handle(PING_HANDLER, (message) => message);
    print(`${node.name} listens on ${node.address} in cluster ${options.cluster}`);
    printMembers(node);
    for (const { step, isChosen, reason } of node.distributed.discovery.status().steps) {
      print(`${isChosen ? "use" : "skip"} ${step}: ${reason}`);
    }
    await whenAborted(stop);
    print(`${node.name} leaves`);
  } finally {
    await node.leave({ drainMs: LEAVE_DRAIN_MS });
  }
  // A signal is how this command is meant to end.
  return EXIT_CODES.success;
}

function printMembers(node: FoundationNode): void {
  for (const event of ["up", "busy", "idle"] as const) {
    node.on(event, (member) => print(`${event} ${member.name}`));
  }
  node.on("down", (member) => print(`down ${member.name}: ${member.reason}`));
  for (const member of node.members()) {
    if (!member.self) print(`up ${member.name}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
