import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { capabilities, Foundation } from "../../index.ts";
import { messageOf } from "../exit.ts";
import { type SecretArguments, secretOption } from "../secret.ts";

/** `problem`: a node will not do what it should; `note`: it does, with something to know. */
export type Severity = "fine" | "note" | "problem";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly severity: Severity;
  /** What was found, and where it is no good, what to do. */
  readonly text: string;
}

/** What a node would be started with. */
export interface DoctorPlace extends SecretArguments {
  readonly listen: string;
  readonly cluster: string;
}

/** Fewer open files than these are soon used up by links. */
const FILES_LEAST = 4_096;

function node(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < 20 || (major === 20 && minor < 19);
  const text = `Node ${process.versions.node}${isOld ? ": 20.19 or newer is needed" : ""}`;
  return { name: "node", severity: isOld ? "problem" : "fine", text };
}

function core(): Check {
  const can = capabilities();
  const missing = Object.entries(can)
    .filter(([, isThere]) => !isThere)
    .map(([name]) => name);
  if (missing.length === 0) {
    return { name: "core", severity: "fine", text: `version ${Foundation.version()}, complete` };
  }
  const text = `works without ${missing.join(", ")}: a C++ compiler adds the shim at the build`;
  return { name: "core", severity: "note", text };
}

/** Open files that this process may have; undefined where the system does not tell. */
function filesMax(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const match = /^Max open files\s+(\d+|unlimited)/m.exec(limits);
    if (match === null) return undefined;
    return match[1] === "unlimited" ? Number.POSITIVE_INFINITY : Number(match[1]);
  } catch {
    return undefined; // no /proc on this system
  }
}

function files(): Check {
  const most = filesMax();
  if (most === undefined) {
    return { name: "files", severity: "note", text: "this system does not tell the limit" };
  }
  const isFew = most < FILES_LEAST;
  const text = `${most} open files${isFew ? `: raise ulimit -n to ${FILES_LEAST} or more` : ""}`;
  return { name: "files", severity: isFew ? "note" : "fine", text };
}

function network(): Check {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const open = all.filter(({ internal }) => !internal).map(({ address }) => address);
  const text =
    open.length === 0
      ? "loopback alone: no other host reaches this one"
      : `reachable by ${open.slice(0, 4).join(", ")}${open.length > 4 ? ", …" : ""}`;
  return { name: "network", severity: open.length === 0 ? "note" : "fine", text };
}

/** Starts a node as it would be started, and has it leave at once. */
async function start({ listen, cluster, ...secret }: DoctorPlace): Promise<Check> {
  try {
    const started = await Foundation.start({ listen, cluster, ...secretOption(secret) });
    const { address } = started;
    await started.leave({ drainMs: 0 });
    const text = `a node of the cluster ${cluster} starts and listens on ${address}`;
    return { name: "start", severity: "fine", text };
  } catch (thrown) {
    const { code } = thrown as { code?: unknown };
    const text = `a node does not start: ${messageOf(thrown)} [${String(code)}]`;
    return { name: "start", severity: "problem", text };
  }
}

/** Looks at this machine, this installation, and a node as it would be started. */
export async function checkMachine(place: DoctorPlace): Promise<readonly Check[]> {
  return [node(), core(), files(), network(), await start(place)];
}
