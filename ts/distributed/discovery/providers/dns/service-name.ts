import { checkKeys, checkKind } from "../../../../base/option-checks.ts";
import { discoveryFailed } from "../../asking.ts";
import { readCapped } from "../../capped-file.ts";
import { isLabel, SERVICE_ACCOUNT } from "../../kubernetes-facts.ts";

/** A headless service of Kubernetes, as its DNS names it. */
export interface KubernetesNameOptions {
  /** Name of the service. */
  readonly service: string;
  /** Its namespace. Default: that of the pod's service account. */
  readonly namespace?: string;
  /** Domain of the cluster. Default: the variable `CLUSTER_DOMAIN`, else `cluster.local`. */
  readonly clusterDomain?: string;
  /**
   * Name of the service's port for records of type `srv`: others of its ports are left out.
   * Default: all of its ports.
   */
  readonly portName?: string;
}

/** What a name is made of; what is missing is looked up when it is asked for. */
export type KubernetesName = KubernetesNameOptions;

/** Where a pod finds its namespace. */
const NAMESPACE_FILE = `${SERVICE_ACCOUNT}/namespace`;

/** Checks what a name is made of. */
export function checkKubernetesName(options: KubernetesNameOptions): KubernetesName {
  const where = "kubernetes of Providers.dns";
  checkKeys(where, options, ["service", "namespace", "clusterDomain", "portName"]);
  const { service, namespace, clusterDomain, portName } = options;
  const check = (key: string, value: string | undefined): void => {
    checkKind(`${key} of ${where}`, isLabel(value), "lower-case letters, digits and -");
  };
  check("service", service);
  if (namespace !== undefined) check("namespace", namespace);
  if (portName !== undefined) check("portName", portName);
  const isDomain = clusterDomain === undefined || isClusterDomain(clusterDomain);
  checkKind(`clusterDomain of ${where}`, isDomain, "a domain like cluster.local");
  return { ...options };
}

function isClusterDomain(domain: string): boolean {
  if (typeof domain !== "string" || domain.length > 120) return false;
  return domain.split(".").every(isLabel);
}

/**
 * The name to ask for now.
 *
 * @throws FoundationError `discovery_failed` where no namespace is given and none can be read
 */
export async function kubernetesName(
  { service, namespace, clusterDomain, portName }: KubernetesName,
  namespaceFile: string = NAMESPACE_FILE,
): Promise<string> {
  const space = namespace ?? (await ownNamespace(namespaceFile));
  const domain = clusterDomain ?? (process.env["CLUSTER_DOMAIN"] || "cluster.local");
  const prefix = portName === undefined ? "" : `_${portName}._tcp.`;
  return `${prefix}${service}.${space}.svc.${domain}`;
}

async function ownNamespace(path: string): Promise<string> {
  try {
    return (await readCapped(path, 1_024)).toString().trim();
  } catch (thrown) {
    throw discoveryFailed(`no namespace is given, and ${path} cannot be read`, thrown);
  }
}
