import type { RequestOptions } from "node:https";
import { optionalPackage } from "../../../../base/optional-package.ts";
import type { ApiAccess } from "./access.ts";

/** Which kubeconfig is read, and what of it counts. */
export interface KubeconfigPlan {
  /** Undefined: what KUBECONFIG or `~/.kube/config` says. */
  readonly path: string | undefined;
  /** Undefined: the current one. */
  readonly context: string | undefined;
}

/** What is taken of the package. It is an optional one: this compiles without it. */
interface KubeConfig {
  loadFromDefault(): void;
  loadFromFile(path: string): void;
  getCurrentContext(): string;
  setCurrentContext(name: string): void;
  getContextObject(name: string): { readonly namespace?: string } | null;
  getCurrentCluster(): { readonly server: string } | null;
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

/**
 * Reads a kubeconfig: servers, certificates, tokens and the programs that make tokens.
 *
 * @throws FoundationError `package_missing`; what the package throws for a file that it cannot read
 */
export async function readKubeconfig(
  { path, context }: KubeconfigPlan,
  namespace: string | undefined,
): Promise<ApiAccess> {
  const config = await newConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  if (context !== undefined) config.setCurrentContext(context);
  const current = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`the kubeconfig has no cluster for '${current}'`);
  const master = new URL(cluster.server);
  if (master.protocol !== "https:") {
    throw new Error(`the kubeconfig says ${master.origin}, and only https is spoken`);
  }
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const own = config.getContextObject(current)?.namespace;
  return { master, namespace: namespace ?? own ?? "default", options };
}

async function newConfig(): Promise<KubeConfig> {
  const { KubeConfig } = await optionalPackage("@kubernetes/client-node", "1", async () => {
    return (await import("@kubernetes/client-node" as string)) as {
      readonly KubeConfig: new () => KubeConfig;
    };
  });
  return new KubeConfig();
}
