import type { StorageConfig } from "../../config/config-types.ts";
import type { WarmStoreOptions } from "./warm-options.ts";
import { WarmStore } from "./warm-store.ts";

/**
 * The warm store of a node: as `storage.warm` has it, unless options say otherwise. Undefined where
 * neither of them asks for one.
 *
 * @throws FoundationError what `WarmStore.open` throws
 */
export async function openConfiguredStore(
  { enable, ...configured }: StorageConfig["warm"],
  options?: Partial<WarmStoreOptions>,
): Promise<WarmStore | undefined> {
  if (!enable && options === undefined) return undefined;
  return WarmStore.open({ ...configured, ...options });
}
