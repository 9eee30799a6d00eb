import { isLabel } from "../../distributed/discovery/kubernetes-facts.ts";
import { oneOf, SWITCH, TEXT } from "../kinds.ts";
import type { Kind, Settings } from "../settings.ts";
import { polled } from "./dns.ts";
import { providerData, type Strategy } from "./migration.ts";

const MODES = oneOf({ ip: "ip", hostname: "hostname", dns: "dns" } as const);
const LOOKUPS = oneOf({ endpoints: "endpoints", pods: "pods" } as const);

/** As Kubernetes names its namespaces and services. */
const LABEL: Kind<string> = {
  what: "lower case letters, digits and hyphens, as Kubernetes has it",
  read: (given) => (isLabel(given) ? given : undefined),
};

const DOMAIN_IN_NAMES =
  "names of the modes dns and hostname end with the domain that is set; libcluster forgets the " +
  "environment's CLUSTER_DOMAIN in them";
const ENDPOINTS =
  "Endpoints are deprecated since Kubernetes 1.33: with the right to list endpointslices, leave " +
  "'source' out";
const ASKED =
  "the API server is asked every time, as libcluster asks it; with the right to watch, leave " +
  "'watch' out and changes are told at once";

/** The API server as libcluster puts its name together. */
function masterOf(settings: Settings, domain: string): string | undefined {
  const master = settings.read("kubernetes_master", "master", TEXT);
  if (master === undefined) return undefined;
  const isWhole = master.endsWith(domain) || master.endsWith(".");
  return isWhole ? master.replace(/\.$/, "") : `${master}.${domain}`;
}

/** `Cluster.Strategy.Kubernetes`: pods by the API server. */
export const kubernetes: Strategy = (settings, options) => {
  const basename = settings.required("kubernetes_node_basename", "basename", TEXT);
  const selector = settings.required("kubernetes_selector", "selector", TEXT);
  const mode = settings.read("mode", "mode", MODES);
  const cluster = settings.read("kubernetes_cluster_name", "clusterDomain", TEXT);
  const clusterDomain = cluster === undefined ? undefined : `${cluster}.local`;
  const source = settings.read("kubernetes_ip_lookup_mode", "source", LOOKUPS) ?? "endpoints";
  const service =
    mode === "hostname"
      ? settings.required("kubernetes_service_name", "serviceName", LABEL)
      : settings.read("kubernetes_service_name", "serviceName", LABEL);
  const account = settings.read("kubernetes_service_account_path", "serviceAccountPath", TEXT);
  const provider = providerData("kubernetes", {
    basename,
    selector,
    mode,
    source,
    namespace: settings.read("kubernetes_namespace", "namespace", LABEL),
    serviceName: service,
    clusterDomain,
    master: masterOf(settings, clusterDomain ?? "cluster.local"),
    serviceAccountPath: account,
    useCachedResources: settings.read(
      "kubernetes_use_cached_resources",
      "useCachedResources",
      SWITCH,
    ),
    watch: false,
    pollMs: polled(settings, options),
    port: options.nodePort,
  });
  if (basename === undefined || selector === undefined) return undefined;
  if (mode === "hostname" && service === undefined) return undefined;
  if (mode === "hostname" || mode === "dns") {
    settings.note("changedBehaviour", "mode", DOMAIN_IN_NAMES);
  }
  if (source === "endpoints") settings.note("warnings", undefined, ENDPOINTS);
  settings.note("warnings", undefined, ASKED);
  return { provider, ...(options.prune !== undefined && { prune: options.prune }) };
};
