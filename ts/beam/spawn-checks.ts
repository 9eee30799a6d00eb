import { FoundationError } from "../base/errors.ts";
import { checkDelay, checkKeys, checkKind } from "../base/option-checks.ts";
import { Pid } from "../base/pid.ts";
import { isGenServerClass } from "./gen-server.ts";
import type {
  NamedProcess,
  ProcessCallOptions,
  ProcessSendOptions,
  Spawnable,
  SpawnOptions,
} from "./process-types.ts";
import { isStateMachineClass } from "./state-machine.ts";

/** Names of the options of a process, on whichever node. */
export const SPAWN_KEYS = ["name", "mailbox", "trapExit", "label"] as const;
/** With that which is of one isolate. */
const LOCAL_SPAWN_KEYS = [...SPAWN_KEYS, "via"] as const;

const SEND_KEYS = ["channel"] as const;
const CALL_KEYS = [...SEND_KEYS, "timeoutMs", "signal"] as const;

/** No options, of which there is nothing to check: what most processes are spawned with. */
export const NO_OPTIONS: SpawnOptions = Object.freeze({});

/**
 * Refuses what no process can be made of, before it fails at its first message.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkSpawn(body: Spawnable<never>, options: SpawnOptions): void {
  if (!isSpawnable(body)) {
    const text = "spawn takes a handler, or a body with `handle`; `start` takes all the others";
    throw new FoundationError("invalid_options", text);
  }
  if (options === NO_OPTIONS) return;
  checkKeys("the options of a process", options, LOCAL_SPAWN_KEYS);
  const { name, label, via } = options;
  checkKind("name", name === undefined || typeof name === "string", "a text");
  checkKind("label", label === undefined || typeof label === "string", "a text");
  checkKind(
    "via",
    via === undefined || typeof via?.register === "function",
    "a place in a registry",
  );
}

function isSpawnable(body: unknown): boolean {
  if (typeof body === "function") {
    // What has no prototype is no class.
    return body.prototype === undefined || !(isGenServerClass(body) || isStateMachineClass(body));
  }
  if (typeof body !== "object" || body === null) return false;
  return typeof Reflect.get(body, "handle") === "function";
}

/**
 * Refuses what is no pid, a printed one for instance.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkPid(pid: Pid): void {
  checkKind("a process", pid instanceof Pid, "a pid; `parsePid` reads a printed one");
}

/**
 * Refuses what is no receiver.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkNamed(to: NamedProcess): void {
  const isNamed = typeof to?.node === "string" && typeof to.name === "string";
  checkKind("a receiver", isNamed, "a pid, a name, or { node, name }");
}

/**
 * Refuses what is no option of a message.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkSending(options: ProcessSendOptions | undefined): void {
  if (options !== undefined) checkKeys("the options of a message", options, SEND_KEYS);
}

/**
 * Refuses what is no option of a call.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkCalling(options: ProcessCallOptions | undefined): void {
  if (options === undefined) return;
  checkKeys("the options of a call", options, CALL_KEYS);
  const { timeoutMs = 0 } = options;
  if (timeoutMs !== Number.POSITIVE_INFINITY) checkDelay("timeoutMs", timeoutMs);
}
