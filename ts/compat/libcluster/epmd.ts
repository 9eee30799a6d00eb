import { isIP } from "node:net";
import { listOf } from "../kinds.ts";
import type { Kind, Settings } from "../settings.ts";
import { type LibclusterOptions, providerData, type Strategy } from "./migration.ts";

const NO_EPMD =
  "there is no EPMD here, which knows the ports of Erlang nodes by their names: the nodes of a " +
  "machine tell each other of themselves by files in a folder, and those of other machines are " +
  "looked for at one port";
const DIALLED_AGAIN =
  "who does not answer is dialled again by itself; libcluster does so with a timeout alone";

const HOSTS: Kind<readonly string[]> = {
  what: 'a list of node names, like :"app@10.0.0.1"',
  read: (given) => {
    const hosts = listOf(given);
    const isRight = hosts?.every((host) => typeof host === "string" && /^[^@]+@[^@]+$/.test(host));
    return isRight === true ? (hosts as readonly string[]) : undefined;
  },
};

function hostOf(name: string): string {
  return name.slice(name.indexOf("@") + 1);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host);
}

/** Nodes whose host another one has, too: they cannot both listen at one port. */
function crowded(names: readonly string[]): readonly string[] {
  const hosts = names.map(hostOf);
  return names.filter((_, at) => hosts.indexOf(hosts[at] as string) !== at);
}

function checkHosts(settings: Settings, hosts: readonly string[]): boolean {
  const named = hosts.filter((name) => isIP(hostOf(name)) === 0);
  if (named.length > 0) {
    const some = named.slice(0, 3).join(", ");
    const text = `a list has IP addresses; for names (${some}) use the provider dns`;
    settings.unsupported("hosts", text);
    return false;
  }
  const doubles = crowded(hosts);
  if (doubles.length > 0) {
    const some = doubles.slice(0, 3).join(", ");
    const text = `nodes of one host need ports: give ${some} an address with one`;
    settings.unsupported("hosts", text);
  }
  return true;
}

/** `Cluster.Strategy.Epmd`: a list of nodes. */
export const epmd: Strategy = (settings, { nodePort }: LibclusterOptions) => {
  settings.note("warnings", undefined, NO_EPMD);
  settings.ignored("timeout", DIALLED_AGAIN);
  if (!settings.has("timeout")) settings.note("changedBehaviour", undefined, DIALLED_AGAIN);
  const isLocal = HOSTS.read(settings.raw("hosts"))?.every((name) => isLoopback(hostOf(name)));
  const hosts = settings.read("hosts", isLocal === true ? "" : "addresses", HOSTS);
  if (hosts === undefined || hosts.length === 0) {
    settings.note("ignored", "hosts", "without hosts libcluster does nothing, and nothing is done");
    return undefined;
  }
  if (isLocal === true) {
    const text = "all nodes of the cluster on this machine find each other, not those named alone";
    settings.note("changedBehaviour", "hosts", text);
    return { provider: providerData("local", {}), prune: "never" };
  }
  if (!checkHosts(settings, hosts)) return undefined;
  const doubles = crowded(hosts);
  const addresses = hosts.filter((name) => !doubles.includes(name));
  return { provider: providerData("static", { addresses, port: nodePort }), prune: "never" };
};

/** `Cluster.Strategy.LocalEpmd`: the nodes of this machine. */
export const localEpmd: Strategy = (settings) => {
  settings.note("warnings", undefined, NO_EPMD);
  const text = "nodes that start later are found, too; libcluster looks once";
  settings.note("changedBehaviour", undefined, text);
  return { provider: providerData("local", {}), prune: "never" };
};

/** `Cluster.Strategy.ErlangHosts`: the machines of a file. */
export const erlangHosts: Strategy = (settings, { nodePort }) => {
  settings.note("warnings", undefined, NO_EPMD);
  settings.ignored("timeout", DIALLED_AGAIN);
  const text = "one node of each machine is found; the file and its names are looked at again";
  settings.note("changedBehaviour", undefined, text);
  return { provider: providerData("hostsFile", { port: nodePort }), prune: "never" };
};
