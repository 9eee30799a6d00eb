import { INTERVAL, SWITCH, TEXT } from "../kinds.ts";
import type { Settings } from "../settings.ts";
import { type LibclusterOptions, providerData, type Strategy } from "./migration.ts";

/** What errors did to a cluster, and do no more. */
export const KEEPS_LAST =
  "an error or an empty answer disconnects nobody: the last good answer holds; libcluster takes " +
  "both for the end of all nodes and disconnects";
const GRACE =
  "who is gone from the source stays while it is up; prune 'immediate' disconnects at once, as " +
  "libcluster does";
const RESOLVER =
  "a function that resolves names is a provider of its own here: write one, or give the provider " +
  "dns 'resolvers'";
const SRV_PORT =
  "records say the port, and it is used; libcluster asks EPMD. Name the nodes' port in the " +
  "service, or give 'port'";

/** What every polled source does otherwise; its interval. */
export function polled(settings: Settings, { prune }: LibclusterOptions): number | undefined {
  settings.note("changedBehaviour", undefined, KEEPS_LAST);
  if (prune === undefined) settings.note("changedBehaviour", undefined, GRACE);
  const name = settings.either("polling_interval", "poll_interval");
  return settings.read(name, "pollMs", INTERVAL);
}

function refuseResolver(settings: Settings): void {
  if (settings.has("resolver")) settings.unsupported("resolver", RESOLVER);
}

/** `Cluster.Strategy.DNSPoll`: A and AAAA records of a name. */
export const dnsPoll: Strategy = (settings, options) => {
  refuseResolver(settings);
  const query = settings.required("query", "query", TEXT);
  const basename = settings.required("node_basename", "basename", TEXT);
  const pollMs = polled(settings, options);
  const isPruned = settings.read("prune", "prune", SWITCH);
  if (query === undefined || basename === undefined) return undefined;
  const provider = providerData("dns", { query, basename, pollMs, port: options.nodePort });
  const prune = isPruned === false ? ("never" as const) : options.prune;
  return { provider, ...(prune !== undefined && { prune }) };
};

/** A service as it is named inside of Kubernetes: its name alone, or with its namespace. */
function serviceOf(name: string): object {
  const [service, namespace, ...rest] = name.split(".");
  if (rest.length > 1 || (rest.length === 1 && rest[0] !== "svc")) return { query: name };
  return { kubernetes: { service, ...(namespace !== undefined && { namespace }) } };
}

/** `Cluster.Strategy.Kubernetes.DNS`: A records of a headless service. */
export const kubernetesDns: Strategy = (settings, options) => {
  refuseResolver(settings);
  const service = settings.required("service", "kubernetes.service", TEXT);
  const basename = settings.required("application_name", "basename", TEXT);
  const pollMs = polled(settings, options);
  if (service === undefined || basename === undefined) return undefined;
  const { nodePort: port, prune } = options;
  const asked = { ...serviceOf(service), families: [4] };
  const provider = providerData("dns", { ...asked, basename, pollMs, port });
  return { provider, ...(prune !== undefined && { prune }) };
};

/** `Cluster.Strategy.Kubernetes.DNSSRV`: SRV records of a headless service. */
export const kubernetesSrv: Strategy = (settings, options) => {
  refuseResolver(settings);
  const service = settings.required("service", "kubernetes.service", TEXT);
  const namespace = settings.required("namespace", "kubernetes.namespace", TEXT);
  const basename = settings.required("application_name", "basename", TEXT);
  const pollMs = polled(settings, options);
  if (service === undefined || namespace === undefined || basename === undefined) return undefined;
  settings.note("changedBehaviour", undefined, SRV_PORT);
  const { nodePort: port, prune } = options;
  const asked = { type: "srv", kubernetes: { service, namespace } };
  const provider = providerData("dns", { ...asked, basename, pollMs, port });
  return { provider, ...(prune !== undefined && { prune }) };
};
