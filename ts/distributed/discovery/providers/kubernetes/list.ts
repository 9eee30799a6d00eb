import { at, textAt } from "../../lines.ts";
import type { ProviderContext } from "../../provider.ts";
import { isGone, type KubernetesApi } from "./api.ts";
import { KnownObjects } from "./known-objects.ts";
import type { KubernetesPlan } from "./options.ts";
import { RESOURCES } from "./resources.ts";

/** A list that was read to its end. */
export interface Listed {
  readonly objects: KnownObjects;
  /** What a watch goes on from. */
  readonly version: string;
}

// A list that never ends is none: 10,000 objects are 100 pages.
const PAGES_MAX = 1_000;

/**
 * Reads the whole list, page by page.
 *
 * @throws FoundationError `discovery_failed`
 */
export async function listed(
  api: KubernetesApi,
  plan: KubernetesPlan,
  context: ProviderContext,
): Promise<Listed> {
  const cached = plan.useCachedResources ? { resourceVersion: "0" } : {};
  const limit = { limit: String(plan.pageItems) };
  try {
    return await readPages(api, plan, context, { ...cached, ...limit });
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
  }
  // The later pages went out of memory before they were asked for: now all in one.
  return readPages(api, plan, context, cached);
}

async function readPages(
  api: KubernetesApi,
  plan: KubernetesPlan,
  context: ProviderContext,
  query: Readonly<Record<string, string>>,
): Promise<Listed> {
  const objects = new KnownObjects(plan, context);
  let next = query;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page = await api.list(next);
    const version = textAt(page, "metadata", "resourceVersion");
    for (const object of itemsOf(api, plan, page)) objects.put(object);
    const rest = textAt(page, "metadata", "continue");
    if (rest === undefined) {
      if (version !== undefined) return { objects, version };
      throw api.failed("its list has no resourceVersion");
    }
    // A page is of the version of the first one; saying which again is refused.
    next = { limit: String(plan.pageItems), continue: rest };
  }
  throw api.failed(`its list has more than ${PAGES_MAX} pages; raise pageItems`);
}

function itemsOf(api: KubernetesApi, plan: KubernetesPlan, page: unknown): readonly unknown[] {
  const { listKind } = RESOURCES[plan.source];
  const items = at(page, "items");
  // Some servers write an empty list as null. Anything else is no list, and none is not an empty
  // one.
  const isList = at(page, "kind") === listKind && (items === null || Array.isArray(items));
  if (!isList) throw api.failed(`its answer is no ${listKind}`);
  return items ?? [];
}
