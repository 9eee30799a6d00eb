import { BlockList, isIPv4, SocketAddress } from "node:net";
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

const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|(\d{1,3}(?:\.\d{1,3}){3})):(\d{1,5})$/;

/** An address in the one way in which it is written here; undefined for what is none. */
function canonical(address: unknown): { host: string; text: string } | undefined {
  const match = typeof address === "string" ? ADDRESS.exec(address) : null;
  const written = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (written === undefined || port === 0 || port > 65_535) return undefined;
  try {
    const family = isIPv4(written) ? "ipv4" : "ipv6";
    const host = new SocketAddress({ address: written, family }).address;
    return { host, text: family === "ipv4" ? `${host}:${port}` : `[${host}]:${port}` };
  } catch {
    return undefined;
  }
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
