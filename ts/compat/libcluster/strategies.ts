import { nearest } from "../../base/nearest.ts";
import { dnsPoll, kubernetesDns, kubernetesSrv } from "./dns.ts";
import { epmd, erlangHosts, localEpmd } from "./epmd.ts";
import { gossip } from "./gossip.ts";
import { kubernetes } from "./kubernetes.ts";
import type { Strategy } from "./migration.ts";
import { rancher } from "./rancher.ts";

const PREFIX = "Cluster.Strategy.";

const STRATEGIES: ReadonlyMap<string, Strategy> = new Map([
  ["Gossip", gossip],
  ["Epmd", epmd],
  ["LocalEpmd", localEpmd],
  ["ErlangHosts", erlangHosts],
  ["DNSPoll", dnsPoll],
  ["Kubernetes", kubernetes],
  ["Kubernetes.DNS", kubernetesDns],
  ["Kubernetes.DNSSRV", kubernetesSrv],
  ["Rancher", rancher],
]);

/** Strategies that others have written, and what does their work here. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/consul/i, "the provider consul does that"],
  [/ec2/i, "write a provider that asks for the instances, or use dns"],
  [/droplet|digitalocean/i, "write a provider that asks for the droplets, or use dns"],
  [/postgres/i, "write a provider that reads the table, or use etcd or consul"],
  [/hyparview/i, "that is an overlay here: overlays: { data: { strategy: 'hyparview' } }"],
];

/** The strategy of that name, as modules and short; undefined where it is none of libcluster's. */
export function strategyOf(name: string): Strategy | undefined {
  return STRATEGIES.get(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);
}

/** What to say of a strategy that is none of libcluster's. */
export function unknownStrategy(name: string): string {
  const foreign = FOREIGN.find(([pattern]) => pattern.test(name));
  if (foreign !== undefined) return `'${name}' is no strategy of libcluster's: ${foreign[1]}`;
  const guess = nearest(
    name,
    [...STRATEGIES.keys()].map((one) => PREFIX + one),
  );
  const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
  return `'${name}' is no strategy of libcluster's: write a provider in its place${hint}`;
}
