import { checkKeys, checkKind } from "../../../base/option-checks.ts";
import { parseAddress } from "../../../kernel/options.ts";
import type { CandidateSet, DiscoveryProvider, ProviderContext } from "../provider.ts";

/** Addresses that are known beforehand. */
export interface StaticOptions {
  /** Of members: IP addresses with ports. Unit: addresses. */
  readonly addresses: readonly string[];
}

/**
 * Addresses that are known beforehand: one set, which never changes.
 *
 * @throws FoundationError `invalid_options` for what is no IP address with a port
 */
export function staticProvider(options: StaticOptions): DiscoveryProvider {
  checkKeys("Providers.static", options, ["addresses"]);
  const { addresses } = options;
  checkKind("addresses of Providers.static", Array.isArray(addresses), "a list of addresses");
  for (const address of addresses) parseAddress(address, "address");
  const candidates = addresses.map((address) => ({ address }));
  return {
    kind: "static",
    label: `static ${addresses.length} addresses`,
    async *candidates({ signal }: ProviderContext): AsyncGenerator<CandidateSet> {
      if (!signal.aborted) yield { candidates, isComplete: true };
    },
  };
}
