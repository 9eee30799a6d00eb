import { answerOf, untilAborted } from "../../asking.ts";
import { type DiscoveryProvider, polled } from "../../provider.ts";
import { type DnsOptions, planDns } from "./dns-options.ts";
import { Lookup } from "./lookup.ts";
import { kubernetesName } from "./service-name.ts";

/**
 * The addresses that a name stands for, asked for again and again. A name that does not exist is an
 * empty answer; a name server that fails, refuses or is silent is an error of the source.
 *
 * @throws FoundationError `invalid_options`
 */
export function dnsProvider(options: DnsOptions): DiscoveryProvider {
  const plan = planDns(options);
  const { name, type, pollMs, timeoutMs } = plan;
  const shown = typeof name === "string" ? name : `${name.service} of Kubernetes`;
  return {
    kind: "dns",
    label: type === "srv" ? `dns ${shown}, srv` : `dns ${shown}`,
    candidates: (context) =>
      untilAborted(
        context,
        polled(context, pollMs, async () => {
          const query = typeof name === "string" ? name : await kubernetesName(name);
          return answerOf(context, { what: `the name ${query}`, timeoutMs }, async (signal) => {
            return new Lookup(plan, context, signal).candidates(query);
          });
        }),
      ),
  };
}
