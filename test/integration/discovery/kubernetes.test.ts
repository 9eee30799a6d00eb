import { type KubernetesOptions, type KubernetesSource, Providers } from "foundation-runtime";
import { objectsFor, poisonFor, SELECTOR } from "./kubernetes-objects.ts";
import { KubernetesServer } from "./kubernetes-server.ts";
import { describeProvider } from "./provider-contract.ts";

const PLURALS = { endpointSlices: "endpointslices", endpoints: "endpoints", pods: "pods" } as const;

/** Where the API is, and who asks. */
type Access = (server: KubernetesServer) => Promise<KubernetesOptions>;

const byAccount: Access = async ({ master, account }) => ({ master, serviceAccountPath: account });
const byKubeconfig: Access = async (server) => ({ kubeconfig: await server.kubeconfig() });

async function describeSource(
  source: KubernetesSource,
  more: KubernetesOptions,
  access: Access = byAccount,
): Promise<void> {
  const server = await KubernetesServer.start();
  const plural = PLURALS[source];
  const options = { source, selector: SELECTOR, port: "cluster", timeoutMs: 3_000 };
  const place = await access(server);
  const how = more.watch === false ? "asked again and again" : "watched";
  describeProvider(
    `kubernetes ${source}, ${how}${place.kubeconfig === undefined ? "" : ", by kubeconfig"}`,
    {
      isComplete: true,
      provider: () => Providers.kubernetes({ ...options, ...place, ...more }),
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
await describeSource("endpointSlices", {}, byKubeconfig);
