import type { Strategy } from "./migration.ts";

const RANCHER =
  "there is no provider for Rancher's metadata service: write one that asks " +
  "http://rancher-metadata/latest/self/service (docs/migrate-libcluster.md has it)";

/** `Cluster.Strategy.Rancher`: containers of a service. */
export const rancher: Strategy = (settings) => {
  settings.unsupported("strategy", RANCHER);
  for (const name of ["node_basename", "polling_interval", "poll_interval"]) {
    settings.ignored(name, "it belongs to the strategy");
  }
  return undefined;
};
