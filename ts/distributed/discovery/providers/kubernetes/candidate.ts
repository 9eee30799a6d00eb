import { addressOf } from "../../entries.ts";
import type { Candidate, ProviderContext } from "../../provider.ts";
import type { KubernetesPlan } from "./options.ts";
import type { Endpoint } from "./resources.ts";

/**
 * The candidate that an endpoint stands for; undefined, and counted, where no node can be reached
 * there.
 */
export function candidateOf(
  endpoint: Endpoint,
  plan: KubernetesPlan,
  { self, note }: Pick<ProviderContext, "self" | "note">,
): Candidate | undefined {
  const found = addressIn(endpoint, plan, self.port);
  if ("problem" in found) {
    note(found.problem);
    return undefined;
  }
  const { ip, address } = found;
  const name = plan.basename === undefined ? undefined : nameOf(endpoint, ip, plan);
  if (plan.basename !== undefined && name === undefined) note("noName");
  return {
    address,
    ...(name !== undefined && { name: `${plan.basename}@${name}` }),
    ...(endpoint.isTerminating && { isDraining: true }),
  };
}

type Found = { readonly ip: string; readonly address: string } | { readonly problem: string };

function addressIn(endpoint: Endpoint, plan: KubernetesPlan, ownPort: number): Found {
  const { ip, isEnded, isReady, isTerminating } = endpoint;
  if (isEnded) return { problem: "ended" };
  // One that ends is not ready any more: that it ends says more.
  if (!isReady && !isTerminating && !plan.includeNotReady) return { problem: "notReady" };
  if (ip === undefined) return { problem: "noAddress" };
  const port = typeof plan.port === "string" ? endpoint.port : (plan.port ?? ownPort);
  if (typeof port !== "number") return { problem: "noPort" };
  const address = typeof ip === "string" ? addressOf(ip, port) : undefined;
  return address === undefined ? { problem: "badAddress" } : { ip: ip as string, address };
}

/** What the mode has stand behind the `@`; undefined where the source does not tell enough. */
function nameOf(endpoint: Endpoint, ip: string, plan: KubernetesPlan): string | undefined {
  if (plan.mode === "ip") return ip;
  const { hostname, namespace } = endpoint;
  const service = plan.serviceName ?? endpoint.service;
  const labels =
    plan.mode === "dns"
      ? [ip.replaceAll(/[.:]/g, "-"), namespace, "pod"]
      : [hostname, service, namespace, "svc"];
  const isKnown = labels.every((label) => label !== undefined && /^[a-z0-9-]{1,63}$/i.test(label));
  return isKnown ? [...labels, plan.clusterDomain].join(".") : undefined;
}
