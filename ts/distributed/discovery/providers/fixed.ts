import { FoundationError } from "../../../base/errors.ts";
import { checkKeys, checkKind } from "../../../base/option-checks.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions, readEntries } from "../entries.ts";
import type { CandidateSet, DiscoveryProvider, ProviderContext } from "../provider.ts";

/** Addresses that are known beforehand. */
export interface StaticOptions extends EntryOptions {
  /**
   * Of members: IP addresses, with a port and a name or without: `10.0.0.7`, `app@10.0.0.7:7000`.
   * Unit: addresses.
   */
  readonly addresses: readonly string[];
}

/**
 * Addresses that are known beforehand: one set, which never changes.
 *
 * @throws FoundationError `invalid_options` for what is no IP address
 */
export function staticProvider(options: StaticOptions): DiscoveryProvider {
  const where = "Providers.static";
  checkKeys(where, options, ["addresses", ...ENTRY_KEYS]);
  checkEntryOptions(where, options);
  const { addresses, ...rest } = options;
  checkKind(`addresses of ${where}`, Array.isArray(addresses), "a list of addresses");
  for (const address of addresses) checkAddress(address, where);
  const entries = [...addresses];
  return {
    kind: "static",
    label: `static ${entries.length} addresses`,
    async *candidates(context: ProviderContext): AsyncGenerator<CandidateSet> {
      if (!context.signal.aborted) yield readEntries(entries, rest, context);
    },
  };
}

/** What an address without a port is checked with. */
const ANY_NODE = { name: "", cluster: "", address: "", host: "", port: 1 };

function checkAddress(address: string, where: string): void {
  const note = (reason: string): never => {
    const text = `addresses of ${where} are IP addresses, with a port or without: '${address}'`;
    throw new FoundationError("invalid_options", text, { context: { address, reason } });
  };
  readEntries([address], {}, { self: ANY_NODE, note });
}
