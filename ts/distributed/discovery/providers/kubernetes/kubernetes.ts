import { untilAborted } from "../../asking.ts";
import {
  type CandidateSet,
  type DiscoveryProvider,
  type ProviderContext,
  polled,
} from "../../provider.ts";
import { KubernetesApi } from "./api.ts";
import { listed } from "./list.ts";
import { type KubernetesOptions, type KubernetesPlan, placeOf, planOf } from "./options.ts";
import { watched } from "./watch.ts";

/**
 * Pods of a Kubernetes cluster, by their EndpointSlices, their Endpoints or themselves: listed once
 * and watched from there on, or asked for again and again.
 *
 * @throws FoundationError `invalid_options`
 */
export function kubernetesProvider(options: KubernetesOptions): DiscoveryProvider {
  const plan = planOf(options);
  if (plan.insecureSkipTlsVerify) warnOfAnyServer(plan);
  const { source, selector, serviceName } = plan;
  return {
    kind: "kubernetes",
    label: `kubernetes ${source} ${selector ?? serviceName} ${placeOf(plan)}`,
    candidates: (context) => untilAborted(context, sets(plan, context)),
  };
}

function sets(plan: KubernetesPlan, context: ProviderContext): AsyncIterable<CandidateSet> {
  const api = new KubernetesApi(plan, context);
  if (plan.watch) return watched(api, plan, context);
  return polled(context, plan.pollMs, async () => (await listed(api, plan, context)).objects.set());
}

function warnOfAnyServer({ master }: KubernetesPlan): void {
  process.emitWarning(
    `whoever answers at ${master.host} gets the token of the service account: ` +
      "its certificate is not looked at (insecureSkipTlsVerify: true)",
    { code: "FOUNDATION_INSECURE" },
  );
}
