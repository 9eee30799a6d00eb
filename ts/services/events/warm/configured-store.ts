import { checkKeys } from "../../../base/option-checks.ts";
import type { StorageConfig } from "../../config/config-types.ts";
import { WARM_STORE_DEFAULTS, type WarmStoreOptions } from "./warm-options.ts";
import { WarmStore } from "./warm-store.ts";

/** How the warm store of a node is opened; `logBytesMax` bounds what waits for it. */
export type NodeWarmOptions = Partial<Omit<WarmStoreOptions, "maxPendingBytes">>;

const KNOWN = ["path", ...Object.keys(WARM_STORE_DEFAULTS)].filter(
  (key) => key !== "maxPendingBytes",
);

/**
 * The warm store of a node: as `storage.warm` has it, unless options say otherwise. Undefined where
 * neither of them asks for one.
 *
 * @throws FoundationError `invalid_options`, and what `WarmStore.open` throws
 */
export async function openConfiguredStore(
  { enable, ...configured }: StorageConfig["warm"],
  options?: NodeWarmOptions,
): Promise<WarmStore | undefined> {
  if (!enable && options === undefined) return undefined;
  if (options !== undefined) checkKeys("events.warm", options, KNOWN);
  return WarmStore.open({ ...configured, ...options });
}
