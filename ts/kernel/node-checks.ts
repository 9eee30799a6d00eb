import { checkCount, checkDelay, checkKeys, checkKind, checkNames } from "../base/option-checks.ts";
import type { LeaveOptions, ReadyOptions } from "./node-types.ts";
import { parseAddress } from "./options.ts";

/**
 * Checks a time to wait, `Infinity` included.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkTime(name: string, value: number | undefined): void {
  const isTime = value === undefined || (typeof value === "number" && value >= 0);
  checkKind(name, isTime, "a time in ms");
}

/**
 * Checks a list of addresses.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkAddresses(addresses: readonly string[]): void {
  checkKind("addresses", Array.isArray(addresses), "a list of addresses");
  for (const address of addresses) parseAddress(address, "address");
}

/**
 * Checks when a node counts as ready.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkReady(options: ReadyOptions): void {
  const keys = ["minimumMembers", "channels", "joinedExisting", "timeoutMs", "signal"];
  checkKeys("the options of awaitReady", options, keys);
  const { minimumMembers = 1, channels = [], joinedExisting = false, timeoutMs } = options;
  checkCount("minimumMembers", minimumMembers, 0);
  checkNames("channels", channels);
  checkKind("joinedExisting", typeof joinedExisting === "boolean", "true or false");
  checkTime("timeoutMs", timeoutMs);
}

/** Time that queued messages get unless the caller says otherwise. Unit: ms. */
const DRAIN_MS = 5_000;

/**
 * Checks how a node leaves; answers the time for what is queued.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkDrain(options: LeaveOptions): number {
  checkKeys("the options of leave", options, ["drainMs"]);
  return checkDelay("drainMs", options.drainMs ?? DRAIN_MS);
}
