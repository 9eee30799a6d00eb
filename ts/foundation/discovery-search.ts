import { autoFacts, chooseSources } from "../distributed/discovery/auto.ts";
import type { Discovery } from "../distributed/discovery/discovery.ts";
import {
  type DiscoveryOptions,
  discoveryOptions,
  resolveDiscovery,
} from "../distributed/discovery/discovery-options.ts";
import type { DiscoveryStep } from "../distributed/discovery/discovery-types.ts";
import type { DiscoveryProvider } from "../distributed/discovery/provider.ts";
import { FOUNDATION_DEFAULTS, type FoundationOptions, isLoopback } from "../kernel/options.ts";

/** How other nodes are found, in all forms that `Foundation.start` takes. */
export type DiscoveryPlan =
  | "auto"
  | DiscoveryOptions
  | DiscoveryProvider
  | DiscoveryOptions["sources"];

/** A search that was checked and not begun. */
export interface PlannedSearch {
  readonly options: DiscoveryOptions;
  /** How the sources were chosen, with `auto`. */
  readonly steps: readonly DiscoveryStep[];
}

/**
 * Checks how other nodes are to be found, and chooses sources where that is asked for.
 *
 * @throws FoundationError `invalid_options`
 */
export function planSearch(
  plan: DiscoveryPlan,
  { cluster = FOUNDATION_DEFAULTS.cluster, listen = FOUNDATION_DEFAULTS.listen }: FoundationOptions,
): PlannedSearch {
  if (plan === "auto") {
    const { sources, steps } = chooseSources(autoFacts(cluster, isLoopback(listen)));
    return { options: { sources }, steps };
  }
  const options = discoveryOptions(plan);
  resolveDiscovery(options);
  return { options, steps: [] };
}

/** Begins the search of a node, which leaves where that fails. */
export async function beginSearch(
  node: {
    readonly distributed: { readonly discovery: Discovery };
    leave(): Promise<void>;
  },
  { options, steps }: PlannedSearch,
): Promise<void> {
  try {
    node.distributed.discovery.start(options, { steps });
  } catch (thrown) {
    await node.leave().catch(() => {});
    throw thrown;
  }
}
