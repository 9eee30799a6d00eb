import type { Strategy } from "./migration.ts";

const RANCHER =
  "there is no provider for Rancher's metadata service: write one that asks " +
  "http://rancher-metadata/latest/self/service (docs/migrate-libcluster.md has it)";
const HOSTS_FILE =
  "a .hosts.erlang names machines, and EPMD their nodes: list addresses in a file for the " +
  "provider file, or ask for the names by the provider dns";

/** `Cluster.Strategy.Rancher`: containers of a service. */
export const rancher: Strategy = (settings) => {
  settings.unsupported("strategy", RANCHER);
  for (const name of ["node_basename", "polling_interval", "poll_interval"]) {
    settings.ignored(name, "it belongs to the strategy");
  }
  return undefined;
};

/** `Cluster.Strategy.ErlangHosts`: machines by a file. */
export const erlangHosts: Strategy = (settings) => {
  settings.unsupported("strategy", HOSTS_FILE);
  for (const name of ["timeout", "name_match"]) {
    settings.ignored(name, "it belongs to the strategy");
  }
  return undefined;
};
