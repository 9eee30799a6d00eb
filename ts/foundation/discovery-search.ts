import type { Discovery } from "../distributed/discovery/discovery.ts";
import type { PlannedSearch } from "../distributed/discovery/plan.ts";

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
