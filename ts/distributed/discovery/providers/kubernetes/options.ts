import { resolve } from "node:path";
import { FoundationError } from "../../../../base/errors.ts";
import {
  checkCount,
  checkKeys,
  checkKind,
  checkWord,
  isPath,
} from "../../../../base/option-checks.ts";
import { checkPeriod } from "../../asking.ts";
import { checkEntryOptions } from "../../entries.ts";
import { isLabel, SERVICE_ACCOUNT } from "../../kubernetes-facts.ts";
import type { KubeconfigPlan } from "./kubeconfig.ts";

/** What Kubernetes is asked for. */
export type KubernetesSource = "endpointSlices" | "endpoints" | "pods";

/** How a candidate is named: after its address, its host name in a service, its own DNS record. */
export type KubernetesMode = "ip" | "hostname" | "dns";

/** Which pods of a Kubernetes cluster are candidates. Defaults: {@link KUBERNETES_DEFAULTS}. */
export interface KubernetesOptions {
  /**
   * What is asked for. EndpointSlices and Endpoints are of services, pods stand for themselves.
   * Default: `endpointSlices`.
   */
  readonly source?: KubernetesSource;
  /** Label selector, like `app=shop,tier=web`. Default: what belongs to `serviceName`. */
  readonly selector?: string;
  /**
   * Name of the service; also what names of the mode `hostname` say, where the source does not
   * know it. One of `selector` and `serviceName` is needed. Default: none.
   */
  readonly serviceName?: string;
  /** Default: the namespace of the service account. */
  readonly namespace?: string;
  /**
   * Where the nodes listen: a number, or the name of a port in the slice, the endpoints or the
   * containers; who has none of that name is left out. Unit: port. Default: that of this node.
   */
  readonly port?: number | string;
  /** What stands before the `@` in names of candidates. Default: they have no names. */
  readonly basename?: string;
  /**
   * What stands behind it: `10.1.2.3`, `web-0.SERVICE.NAMESPACE.svc.DOMAIN`, or
   * `10-1-2-3.NAMESPACE.pod.DOMAIN`. Default: `ip`.
   */
  readonly mode?: KubernetesMode;
  /** Default: CLUSTER_DOMAIN of the environment, else `cluster.local`. */
  readonly clusterDomain?: string;
  /**
   * The API server: `host`, `host:port` or a URL of https. Default: what Kubernetes tells its pods
   * in KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, else `kubernetes.default.svc`.
   */
  readonly master?: string;
  /**
   * Folder of `token`, `ca.crt` and `namespace`, read anew for each request. Default: where
   * Kubernetes puts them.
   */
  readonly serviceAccountPath?: string;
  /**
   * A kubeconfig in place of master and service account, as outside of a cluster: the path of one,
   * or true for what KUBECONFIG or `~/.kube/config` says. Needs the package
   * `@kubernetes/client-node`. Default: none.
   */
  readonly kubeconfig?: string | true;
  /** The context of the kubeconfig. Default: its current one. */
  readonly kubeContext?: string;
  /** Talks to any server, whatever its certificate, and hands it the token. Default: false. */
  readonly insecureSkipTlsVerify?: boolean;
  /**
   * Whether who is not ready is a candidate too, as nodes need that become ready only in the
   * cluster. Default: true for pods, else false: there the service says so itself by its
   * `publishNotReadyAddresses`.
   */
  readonly includeNotReady?: boolean;
  /** Takes what the API server has in memory, which may be old, and spares etcd. Default: false. */
  readonly useCachedResources?: boolean;
  /** Whether changes are told by the server; else it is asked again and again. Default: true. */
  readonly watch?: boolean;
  /** Time between two questions without `watch`, at least 10. Unit: ms. Default: 5,000. */
  readonly pollMs?: number;
  /**
   * Shortest life of one watch, from 1,000 to 3,600,000; the longest is twice that. Unit: ms.
   * Default: 300,000.
   */
  readonly watchMs?: number;
  /** Longest wait for an answer, at least 10. Unit: ms. Default: 15,000. */
  readonly timeoutMs?: number;
  /** Objects in one page of a list, from 1 to 1,000. Unit: objects. Default: 100. */
  readonly pageItems?: number;
}

/** What holds where an option is left out. */
export const KUBERNETES_DEFAULTS = Object.freeze({
  source: "endpointSlices", // Endpoints are deprecated since Kubernetes 1.33
  mode: "ip", // as libcluster
  clusterDomain: "cluster.local", // as libcluster, and as nearly every cluster
  serviceAccountPath: SERVICE_ACCOUNT, // fixed by Kubernetes
  watch: true, // changes are known at once, and the server is asked once
  pollMs: 5_000, // as libcluster
  watchMs: 300_000, // with up to twice that, as Kubernetes' own clients
  timeoutMs: 15_000, // as libcluster
  pageItems: 100, // 8 MiB are enough for pages of 100 objects of 80 KiB
} as const);

/** Options that were checked, with what holds for those left out. */
export interface KubernetesPlan {
  readonly source: KubernetesSource;
  readonly selector: string | undefined;
  readonly serviceName: string | undefined;
  readonly namespace: string | undefined;
  readonly port: number | string | undefined;
  readonly basename: string | undefined;
  readonly mode: KubernetesMode;
  readonly clusterDomain: string;
  readonly master: URL;
  readonly serviceAccountPath: string;
  readonly kubeconfig: KubeconfigPlan | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly includeNotReady: boolean;
  readonly useCachedResources: boolean;
  readonly watch: boolean;
  readonly pollMs: number;
  readonly watchMs: number;
  readonly timeoutMs: number;
  readonly pageItems: number;
}

const WHERE = "Providers.kubernetes";
const KEYS: readonly (keyof KubernetesOptions)[] = [
  "source",
  "selector",
  "serviceName",
  "namespace",
  "port",
  "basename",
  "mode",
  "clusterDomain",
  "master",
  "serviceAccountPath",
  "kubeconfig",
  "kubeContext",
  "insecureSkipTlsVerify",
  "includeNotReady",
  "useCachedResources",
  "watch",
  "pollMs",
  "watchMs",
  "timeoutMs",
  "pageItems",
];

const DOMAIN = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;

/**
 * Checks what was asked for.
 *
 * @throws FoundationError `invalid_options` naming the option that cannot be
 */
export function planOf(options: KubernetesOptions): KubernetesPlan {
  checkKeys(WHERE, options, KEYS);
  const { kubeconfig: _kubeconfig, kubeContext: _context, ...others } = options;
  const { env } = process;
  const clusterDomain =
    options.clusterDomain ?? env["CLUSTER_DOMAIN"] ?? KUBERNETES_DEFAULTS.clusterDomain;
  const source = options.source ?? KUBERNETES_DEFAULTS.source;
  const plan: KubernetesPlan = {
    ...KUBERNETES_DEFAULTS,
    selector: undefined,
    serviceName: undefined,
    namespace: undefined,
    port: undefined,
    basename: undefined,
    insecureSkipTlsVerify: false,
    includeNotReady: source === "pods",
    useCachedResources: false,
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
    source,
    kubeconfig: kubeconfigOf(options),
    clusterDomain,
    master: masterOf(options.master ?? ownMaster(env)),
  };
  checkChoices(plan);
  checkTexts(plan);
  checkNumbers(plan);
  return plan;
}

/** Where the API server is, for texts. */
export function placeOf({ kubeconfig, master }: KubernetesPlan): string {
  return kubeconfig === undefined ? `at ${master.host}` : "by kubeconfig";
}

function kubeconfigOf(options: KubernetesOptions): KubeconfigPlan | undefined {
  const { kubeconfig, kubeContext } = options;
  if (kubeconfig === undefined) {
    checkKind("kubeContext", kubeContext === undefined, "one of a kubeconfig");
    return undefined;
  }
  checkKind("kubeconfig", kubeconfig === true || isPath(kubeconfig), "a path, or true");
  const isName =
    kubeContext === undefined || (typeof kubeContext === "string" && kubeContext !== "");
  checkKind("kubeContext", isName, "the name of a context");
  for (const name of ["master", "serviceAccountPath", "insecureSkipTlsVerify"] as const) {
    checkKind(name, options[name] === undefined, "left out beside a kubeconfig, which says it");
  }
  return { path: kubeconfig === true ? undefined : resolve(kubeconfig), context: kubeContext };
}

function checkChoices(plan: KubernetesPlan): void {
  checkWord("source", plan.source, ["endpointSlices", "endpoints", "pods"]);
  checkWord("mode", plan.mode, ["ip", "hostname", "dns"]);
  const { insecureSkipTlsVerify, includeNotReady, useCachedResources, watch } = plan;
  const switches = { insecureSkipTlsVerify, includeNotReady, useCachedResources, watch };
  for (const [name, value] of Object.entries(switches)) {
    checkKind(name, typeof value === "boolean", "true or false");
  }
}

function checkTexts(plan: KubernetesPlan): void {
  const { selector, serviceName, namespace, clusterDomain, serviceAccountPath } = plan;
  const isSomething = (value: string | undefined): boolean =>
    value === undefined || (typeof value === "string" && value !== "" && value.length <= 4_096);
  checkKind("selector", isSomething(selector), "a label selector of at most 4,096 characters");
  const labels = { serviceName, namespace };
  for (const [name, value] of Object.entries(labels)) {
    const isRight = value === undefined || isLabel(value);
    checkKind(name, isRight, "a name of small letters, digits and hyphens");
  }
  checkKind(
    "clusterDomain",
    typeof clusterDomain === "string" && DOMAIN.test(clusterDomain),
    "the name of a domain",
  );
  const hasPath = isSomething(serviceAccountPath) && !serviceAccountPath.includes("\0");
  checkKind("serviceAccountPath", hasPath, "a path");
  const isChosen = selector !== undefined || (serviceName !== undefined && plan.source !== "pods");
  const needed = plan.source === "pods" ? "a selector" : "a selector or a serviceName";
  checkKind(`what ${WHERE} looks for`, isChosen, `said by ${needed}`);
}

function checkNumbers(plan: KubernetesPlan): void {
  const { port, basename, pollMs, watchMs, timeoutMs, pageItems } = plan;
  const isNamed = typeof port === "string";
  if (isNamed) checkKind("port", /^[a-z0-9-]{1,63}$/.test(port), "a number or the name of a port");
  checkEntryOptions(WHERE, {
    ...(!isNamed && port !== undefined && { port }),
    ...(basename !== undefined && { basename }),
  });
  checkPeriod("pollMs", pollMs);
  checkPeriod("timeoutMs", timeoutMs);
  checkAtMost("watchMs", checkCount("watchMs", watchMs, 1_000), 3_600_000);
  checkAtMost("pageItems", checkCount("pageItems", pageItems), 1_000);
}

function checkAtMost(name: string, value: number, most: number): void {
  checkKind(name, value <= most, `at most ${most}, not ${value}`);
}

function ownMaster(env: NodeJS.ProcessEnv): string {
  const host = env["KUBERNETES_SERVICE_HOST"];
  if (host === undefined || host === "") return "kubernetes.default.svc";
  return `${host.includes(":") ? `[${host}]` : host}:${env["KUBERNETES_SERVICE_PORT"] ?? "443"}`;
}

function masterOf(master: string): URL {
  const isText = typeof master === "string" && master !== "";
  const written = isText && !master.includes("://") ? `https://${master}` : master;
  const url = isText && URL.canParse(written) ? new URL(written) : undefined;
  const isPlain = url !== undefined && url.href === `${url.origin}${url.pathname}`;
  if (url?.protocol === "https:" && isPlain) return url;
  const text = "master must be a host, a host with a port or a URL of https without user or query";
  throw new FoundationError("invalid_options", text);
}
