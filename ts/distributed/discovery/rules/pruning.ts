/**
 * What becomes of a member that its sources list no more. `never`: it is dialled on whatever they
 * say. `grace`: it is forgotten when it was gone from all sources for `graceMs` and is down by the
 * failure detector's word as well. `immediate`: its link ends at once, as with libcluster.
 */
export type PrunePolicy = "never" | "grace" | "immediate";

/** A source that listed a candidate once. */
export interface Listing {
  readonly prune: PrunePolicy;
  /** Unit: ms. */
  readonly graceMs: number;
  /** When its complete sets stopped to have it; undefined while they have. Unit: ms. */
  readonly goneSinceMs: number | undefined;
}

const CAUTION: readonly PrunePolicy[] = ["immediate", "grace", "never"];

/**
 * Whether a candidate is to be forgotten. Where sources differ, the most cautious one decides, and
 * the last that still had it.
 *
 * @param isUp whether a member is up there, by the failure detector's word
 */
export function isForgotten(listings: Iterable<Listing>, isUp: boolean, nowMs: number): boolean {
  let policy: PrunePolicy = "immediate";
  let dueMs = Number.NEGATIVE_INFINITY;
  for (const { prune, graceMs, goneSinceMs } of listings) {
    if (goneSinceMs === undefined) return false;
    if (CAUTION.indexOf(prune) > CAUTION.indexOf(policy)) policy = prune;
    dueMs = Math.max(dueMs, goneSinceMs + (prune === "grace" ? graceMs : 0));
  }
  if (policy === "grace") return !isUp && nowMs >= dueMs;
  return policy === "immediate";
}
