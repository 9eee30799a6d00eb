import { type KubernetesOptions, type KubernetesSource, Providers } from "foundation-runtime";
import { objectsFor, poisonFor, SELECTOR } from "./kubernetes-objects.ts";
import { KubernetesServer } from "./kubernetes-server.ts";
import { describeProvider } from "./provider-contract.ts";

const PLURALS = { endpointSlices: "endpointslices", endpoints: "endpoints", pods: "pods" } as const;

async function describeSource(source: KubernetesSource, more: KubernetesOptions): Promise<void> {
  const server = await KubernetesServer.start();
  const plural = PLURALS[source];
  const master = server.master;
  const options = { source, master, selector: SELECTOR, port: "cluster", timeoutMs: 3_000 };
  const kind = more.watch === false ? `${source}, asked again and again` : `${source}, watched`;
  describeProvider(
    `kubernetes ${kind}`,
    {
      isComplete: true,
      provider: () =>
        Providers.kubernetes({ ...options, serviceAccountPath: server.account, ...more }),
      publish: async (addresses) => server.replace(plural, objectsFor(source, addresses)),
      close: async () => server.close(),
    },
    {
      failing: {
        begin: async () => {
          server.failing = 403;
          server.endWatches();
        },
        end: async () => {
          server.failing = undefined;
        },
      },
      hanging: {
        begin: async () => {
          server.isHanging = true;
        },
        end: async () => {
          server.isHanging = false;
        },
      },
      poison: async () => {
        for (const object of poisonFor(source)) server.put(plural, object);
      },
    },
  );
}

await describeSource("endpointSlices", {});
await describeSource("endpointSlices", { watch: false, pollMs: 100 });
await describeSource("endpoints", {});
await describeSource("pods", {});
