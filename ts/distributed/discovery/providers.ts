import { FoundationError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { DiscoveryProvider } from "./provider.ts";
import { consulProvider } from "./providers/consul/consul.ts";
import { customProvider } from "./providers/custom.ts";
import { dnsProvider } from "./providers/dns/dns.ts";
import { environmentProvider } from "./providers/environment.ts";
import { etcdProvider } from "./providers/etcd/etcd.ts";
import { fileProvider } from "./providers/file.ts";
import { staticProvider } from "./providers/fixed.ts";
import { gossipProvider } from "./providers/gossip/gossip.ts";
import { hostsFileProvider } from "./providers/hosts-file/hosts-file.ts";
import { kubernetesProvider } from "./providers/kubernetes/kubernetes.ts";
import { localProvider } from "./providers/local/local.ts";
import { mdnsProvider } from "./providers/mdns/mdns.ts";

/** Where candidates come from. Each makes a provider for the option `discovery` of a node. */
export const Providers = Object.freeze({
  /** Addresses that are known beforehand. */
  static: staticProvider,
  /** Addresses in a file, read anew when it changes. */
  file: fileProvider,
  /** Machines that Erlang's file of hosts names. */
  hostsFile: hostsFileProvider,
  /** Addresses in a variable of the environment. */
  environment: environmentProvider,
  /** Nodes that tell a multicast group of themselves. */
  gossip: gossipProvider,
  /** The addresses that a name stands for. */
  dns: dnsProvider,
  /** Pods of a Kubernetes cluster. */
  kubernetes: kubernetesProvider,
  /** Nodes that write themselves into etcd, and watch who else does. */
  etcd: etcdProvider,
  /** Nodes of this user on this host. */
  local: localProvider,
  /** Nodes of this network that announce themselves by multicast DNS. */
  mdns: mdnsProvider,
  /** A source of the application's own. */
  custom: customProvider,
  /** Nodes that are instances of a service in Consul. */
  consul: consulProvider,
});

/**
 * The provider of that name, for configurations as data.
 *
 * @throws FoundationError `invalid_options` for a name that `Providers` does not have, and what the
 *   provider says of its options
 */
export function namedProvider(kind: string, options: object): DiscoveryProvider {
  const known = Object.keys(Providers);
  if (!Object.hasOwn(Providers, kind)) {
    const guess = nearest(kind, known);
    const hint = guess === undefined ? `: ${known.join(", ")}` : `; did you mean '${guess}'?`;
    throw new FoundationError("invalid_options", `there is no provider '${kind}'${hint}`);
  }
  const make = Providers[kind as keyof typeof Providers] as (options: never) => DiscoveryProvider;
  return make(options as never);
}
