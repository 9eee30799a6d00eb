import type { RequestOptions } from "node:https";
import { readKubeconfig } from "./kubeconfig.ts";
import type { KubernetesPlan } from "./options.ts";
import { readServiceAccount } from "./service-account.ts";

/** Where the API server is, and what a request to it needs. */
export interface ApiAccess {
  readonly master: URL;
  readonly namespace: string;
  /** Headers, certificates, and the agent where it is not to have a connection of its own. */
  readonly options: RequestOptions;
}

/** Read anew for each request: tokens live for an hour. Throws what reading threw. */
export async function apiAccess(plan: KubernetesPlan): Promise<ApiAccess> {
  if (plan.kubeconfig !== undefined) return readKubeconfig(plan.kubeconfig, plan.namespace);
  const { token, ca, namespace } = await readServiceAccount(plan);
  const options = {
    headers: { authorization: `Bearer ${token}` },
    rejectUnauthorized: !plan.insecureSkipTlsVerify,
    ...(ca !== undefined && { ca }),
  };
  return { master: plan.master, namespace, options };
}

/** Whose rights a request has, for errors. */
export function userOf({ kubeconfig }: KubernetesPlan): string {
  return kubeconfig === undefined ? "the service account" : "the user of the kubeconfig";
}
