import { FOUNDATION_DEFAULTS, type FoundationOptions, isLoopback } from "../../kernel/options.ts";
import { autoFacts, chooseSources } from "./auto.ts";
import { type DiscoveryOptions, discoveryOptions, resolveDiscovery } from "./discovery-options.ts";
import type { DiscoveryStep } from "./discovery-types.ts";
import type { DiscoveryProvider } from "./provider.ts";

/** How other nodes are found, in all forms that `Foundation.start` takes. */
export type DiscoveryPlan =
  | "auto"
  | DiscoveryOptions
  | DiscoveryProvider
  | DiscoveryOptions["sources"];

/** A search that was checked and not begun: its providers are made. */
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
  if (plan !== "auto") return { options: resolveDiscovery(discoveryOptions(plan)), steps: [] };
  const { sources, steps } = chooseSources(autoFacts(cluster, isLoopback(listen)));
  return { options: resolveDiscovery({ sources }), steps };
}
