import { at, textAt } from "../../lines.ts";
import { type CandidateSet, type ProviderContext, pauseUntil } from "../../provider.ts";
import { isGone, type KubernetesApi } from "./api.ts";
import type { KnownObjects } from "./known-objects.ts";
import { type Listed, listed } from "./list.ts";
import type { KubernetesPlan } from "./options.ts";

/** A watch or a list that ends at once is not begun again before this time. Unit: ms. */
const ROUND_MS_MIN = 1_000;

/**
 * Lists, and watches from there on; lists anew when the server does not know any more what has
 * changed since.
 */
export async function* watched(
  api: KubernetesApi,
  plan: KubernetesPlan,
  context: ProviderContext,
): AsyncGenerator<CandidateSet> {
  while (!context.signal.aborted) {
    const startMs = context.clock.now();
    const list = await listed(api, plan, context);
    yield list.objects.set();
    yield* followed(api, plan, context, list);
    await pauseUntil(context, startMs + ROUND_MS_MIN);
  }
}

/** Ends when another list is needed. */
async function* followed(
  api: KubernetesApi,
  plan: KubernetesPlan,
  context: ProviderContext,
  { objects, version: first }: Listed,
): AsyncGenerator<CandidateSet> {
  const state = { objects, version: first };
  while (!context.signal.aborted) {
    const startMs = context.clock.now();
    const lifeMs = plan.watchMs * (1 + context.random());
    let isSilent = true;
    try {
      for await (const events of api.watch(queryOf(state.version, lifeMs), lifeMs)) {
        isSilent = false;
        if (applied(api, state, events)) yield objects.set();
      }
    } catch (thrown) {
      if (isGone(thrown)) return;
      throw thrown;
    }
    // A server that was restored has not come to that version yet: until then it says nothing, and
    // sends no bookmark either before the time is over.
    const isOver = context.clock.now() - startMs >= lifeMs;
    if (objects.isOverfull || (isSilent && isOver)) return;
    await pauseUntil(context, startMs + ROUND_MS_MIN);
  }
}

function queryOf(version: string, lifeMs: number): Readonly<Record<string, string>> {
  return {
    resourceVersion: version,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(Math.ceil(lifeMs / 1_000)),
  };
}

interface Followed {
  readonly objects: KnownObjects;
  /** Of the last event; where the next watch goes on. */
  version: string;
}

/** Takes events in; says whether any of them was of an object. */
function applied(api: KubernetesApi, state: Followed, events: readonly unknown[]): boolean {
  let isNews = false;
  for (const event of events) {
    const object = at(event, "object");
    const type = at(event, "type");
    if (type === "ERROR") throw errorIn(api, object);
    if (type === "DELETED") state.objects.remove(object);
    else if (type === "ADDED" || type === "MODIFIED") state.objects.put(object);
    else if (type !== "BOOKMARK") throw api.failed("its watch tells of what is no event");
    if (type !== "BOOKMARK") isNews = true;
    state.version = textAt(object, "metadata", "resourceVersion") ?? state.version;
  }
  return isNews;
}

function errorIn(api: KubernetesApi, status: unknown): Error {
  const code = at(status, "code");
  return api.refusal(typeof code === "number" ? code : 0, textAt(status, "message") ?? "");
}
