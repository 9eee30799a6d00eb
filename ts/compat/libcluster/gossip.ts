import { isIPv6 } from "node:net";
import { IPV4, listOf, PORT, SWITCH, TEXT, wholeNumber } from "../kinds.ts";
import type { Kind, Settings } from "../settings.ts";
import { type LibclusterOptions, providerData, type Strategy } from "./migration.ts";

const PROVES_NOTHING =
  "heartbeats of libcluster prove nothing, with a secret as without: anybody on the network can " +
  "repeat them. Once all nodes are Foundation's, set format to 'signed'";
const REUSED =
  "this secret guards heartbeats alone, and they are no proof of it: give the node a 'secret' of " +
  "its own, another one";
const MOVED =
  "the default group is 233.252.1.32, as in libcluster since 3.3.0; before it was 230.1.1.251: " +
  "where such nodes are left, set multicast_addr";

/** A secret here may name where it is; libcluster's is always the secret itself. */
const SECRET: Kind<string> = {
  what: "a string that does not begin with env: or file:, which name a variable or file here",
  isSecret: true,
  read: (given) => (/^(?:env|file):/.test(String(given)) ? undefined : TEXT.read(given)),
};

function warnOfVersion6(settings: Settings, name: string): void {
  const given = settings.raw(name);
  const isVersion6 = (typeof given === "string" && isIPv6(given)) || listOf(given)?.length === 8;
  if (isVersion6) settings.note("warnings", name, "gossip is IPv4 only, as it is in libcluster");
}

/** `Cluster.Strategy.Gossip`: heartbeats in a multicast group, wire-compatible. */
export const gossip: Strategy = (settings, { nodePort }: LibclusterOptions) => {
  for (const name of ["if_addr", "multicast_if", "multicast_addr"]) warnOfVersion6(settings, name);
  if (!settings.has("multicast_addr")) settings.note("warnings", undefined, MOVED);
  const broadcastOnly = settings.read("broadcast_only", "broadcastOnly", SWITCH);
  if (broadcastOnly === true && !settings.has("multicast_addr")) {
    const text =
      "with broadcast_only the address has to be a broadcast address: set multicast_addr";
    settings.note("warnings", "broadcast_only", text);
  }
  const secret = settings.read("secret", "secret", SECRET);
  if (secret !== undefined) settings.note("warnings", "secret", REUSED);
  settings.note("warnings", undefined, PROVES_NOTHING);
  return {
    provider: providerData("gossip", {
      format: "libcluster",
      port: settings.read("port", "port", PORT),
      interfaceAddress: settings.read("if_addr", "interfaceAddress", IPV4),
      multicastInterface: settings.read("multicast_if", "multicastInterface", IPV4),
      multicastAddress: settings.read("multicast_addr", "multicastAddress", IPV4),
      multicastTtl: settings.read("multicast_ttl", "multicastTtl", wholeNumber(0, 255)),
      broadcastOnly,
      secret,
      nodePort,
    }),
    prune: "never",
  };
};
