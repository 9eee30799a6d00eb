import type { ClusterNode } from "../../kernel/node.ts";
import type { Factories } from "../factories.ts";
import type { EcosystemCluster } from "./places.ts";

/** The cluster of a node, for the ecosystems of one of its isolates. */
export function nodeCluster(node: ClusterNode, factories: Factories): EcosystemCluster {
  return {
    members: () => {
      const staying = node.members().filter(({ state }) => state !== "leaving");
      return staying.map(({ name }) => name);
    },
    onChange: (changed) => {
      const stops = (["up", "down", "leaving"] as const).map((name) => node.on(name, changed));
      return () => {
        for (const stop of stops) stop();
      };
    },
    loadOf: async (name, factory) => factories.loadOf(name, factory),
    startAt: async (name, { factory, args, link, isIsolated }) => {
      const role = isIsolated ? "isolatedWorker" : "worker";
      return factories.spawnOn(name, factory, args, { link }, role);
    },
  };
}
