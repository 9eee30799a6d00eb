import { BlockList, isIPv4, SocketAddress } from "node:net";
import { attempt } from "../../../base/errors.ts";
import { parseAddress } from "../../../kernel/options.ts";
import type { Candidate, CandidateSet, DiscoveringNode } from "../provider.ts";

/** Most candidates of one set that are looked at. */
export const CANDIDATES_MAX = 1_024;
/** Longest name of a candidate that is kept. Unit: characters. */
const NAME_CHARACTERS_MAX = 255;

/** Why a candidate was left out. */
export type ScreenReason =
  | "badAddress"
  | "ownAddress"
  | "unreachableAddress"
  | "duplicate"
  | "aboveLimit";

/** What is left of a set, and how many were left out for which reason. */
export interface Screened {
  readonly candidates: readonly Candidate[];
  readonly dropped: Readonly<Partial<Record<ScreenReason, number>>>;
}

/** Where no other node can be: link-local, with the metadata services of clouds, and no places. */
const UNREACHABLE = new BlockList();
UNREACHABLE.addSubnet("169.254.0.0", 16);
UNREACHABLE.addSubnet("0.0.0.0", 8);
UNREACHABLE.addSubnet("224.0.0.0", 3); // multicast, reserved, broadcast
UNREACHABLE.addSubnet("fe80::", 10, "ipv6");
UNREACHABLE.addSubnet("ff00::", 8, "ipv6");
UNREACHABLE.addAddress("::", "ipv6");
UNREACHABLE.addAddress("fd00:ec2::254", "ipv6");

/** An address in the one way in which it is written here; undefined for what is none. */
function canonical(address: unknown): { host: string; text: string } | undefined {
  if (typeof address !== "string") return undefined;
  const read = attempt(() => {
    const { host, port } = parseAddress(address, "address");
    if (port === 0) return undefined;
    const family = isIPv4(host) ? "ipv4" : "ipv6";
    const { address: written } = new SocketAddress({ address: host, family });
    const text = family === "ipv4" ? `${written}:${port}` : `[${written}]:${port}`;
    return { host: written, text };
  });
  return read.ok ? read.value : undefined;
}

/**
 * Leaves out what no other node can be reached by, and what exceeds the limit. The first of two
 * with one address stays.
 */
export function screen(
  { candidates }: Pick<CandidateSet, "candidates">,
  self: Pick<DiscoveringNode, "address">,
): Screened {
  const dropped: Partial<Record<ScreenReason, number>> = {};
  const kept = new Map<string, Candidate>();
  const own = canonical(self.address)?.text;
  const drop = (reason: ScreenReason, count = 1): void => {
    dropped[reason] = (dropped[reason] ?? 0) + count;
  };
  let looked = 0;
  for (const candidate of candidates) {
    if (looked++ === CANDIDATES_MAX) {
      drop("aboveLimit", candidates.length - CANDIDATES_MAX);
      break;
    }
    const address = canonical(candidate.address);
    if (address === undefined) drop("badAddress");
    else if (address.text === own) drop("ownAddress");
    else if (isUnreachable(address.host)) drop("unreachableAddress");
    else if (kept.has(address.text)) drop("duplicate");
    else kept.set(address.text, named(address.text, candidate));
  }
  return { candidates: [...kept.values()], dropped };
}

function isUnreachable(host: string): boolean {
  return UNREACHABLE.check(host, isIPv4(host) ? "ipv4" : "ipv6");
}

function named(address: string, { name, isDraining }: Candidate): Candidate {
  const isName = typeof name === "string" && name.length > 0 && name.length <= NAME_CHARACTERS_MAX;
  return { address, ...(isName && { name }), ...(isDraining === true && { isDraining }) };
}
