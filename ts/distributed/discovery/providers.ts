import { dnsProvider } from "./providers/dns/dns.ts";
import { environmentProvider } from "./providers/environment.ts";
import { fileProvider } from "./providers/file.ts";
import { staticProvider } from "./providers/fixed.ts";
import { gossipProvider } from "./providers/gossip/gossip.ts";

/** Where candidates come from. Each makes a provider for the option `discovery` of a node. */
export const Providers = Object.freeze({
  /** Addresses that are known beforehand. */
  static: staticProvider,
  /** Addresses in a file, read anew when it changes. */
  file: fileProvider,
  /** Addresses in a variable of the environment. */
  environment: environmentProvider,
  /** Nodes that tell a multicast group of themselves. */
  gossip: gossipProvider,
  /** The addresses that a name stands for. */
  dns: dnsProvider,
});
