import type { DiscoveryFailure } from "./discovery-types.ts";
import type { Candidate, CandidateSet } from "./provider.ts";
import { isForgotten, type Listing } from "./rules/pruning.ts";
import type { SourceRun } from "./source-run.ts";

/** Candidates that are remembered, of all sources together. */
const ENTRIES_MAX = 4_096;

/** A candidate, and how it went with it. */
export interface Entry {
  readonly address: string;
  /** Breaks ties between those that are due: not everybody dials the same one first. */
  readonly order: number;
  readonly listings: Map<SourceRun, SourceListing>;
  name: string | undefined;
  isDraining: boolean;
  /** This node itself answered there. */
  isSelf: boolean;
  isDialling: boolean;
  /** When it may be dialled. Unit: ms. */
  dueMs: number;
  /** Until then it is left alone: it has left in good order. Unit: ms. */
  quietUntilMs: number;
  failures: number;
  lastError: DiscoveryFailure | undefined;
  /** The member that answered there last. */
  member: string | undefined;
}

/** What one source says of a candidate. */
interface SourceListing {
  /** It comes in complete sets: who misses in one is gone. */
  isComplete: boolean;
  seenMs: number;
  goneSinceMs: number | undefined;
}

/** What a set changed. */
export interface SetChange {
  readonly added: number;
  readonly gone: number;
}

/** All candidates, and which source says what of them. */
export class CandidateBook {
  readonly #entries = new Map<string, Entry>();
  readonly #random: () => number;
  /** Candidates that found no room. */
  refused = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** All of them, in the order in which they came. */
  all(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** The candidate of an address. */
  at(address: string): Entry | undefined {
    return this.#entries.get(address);
  }

  /** Lets go of one. */
  remove(entry: Entry): void {
    this.#entries.delete(entry.address);
  }

  /** Takes the set of a source down. A complete one without anybody changes nothing. */
  take(run: SourceRun, { candidates, isComplete }: CandidateSet, nowMs: number): SetChange {
    let added = 0;
    let gone = 0;
    for (const candidate of candidates) {
      if (this.#list(run, candidate, isComplete, nowMs)) added += 1;
    }
    if (!isComplete || candidates.length === 0) return { added, gone };
    const addresses = new Set(candidates.map(({ address }) => address));
    for (const { address, listings } of this.#entries.values()) {
      const listing = listings.get(run);
      if (listing === undefined || listing.goneSinceMs !== undefined) continue;
      if (addresses.has(address)) continue;
      listing.goneSinceMs = nowMs;
      gone += 1;
    }
    return { added, gone };
  }

  /** Whether it is new to that source. */
  #list(run: SourceRun, candidate: Candidate, isComplete: boolean, nowMs: number): boolean {
    const entry = this.#entry(candidate, nowMs);
    if (entry === undefined) return false;
    const before = entry.listings.get(run);
    const isBack = before?.isComplete === true && before.goneSinceMs !== undefined;
    if (isBack) entry.quietUntilMs = 0; // whoever is listed anew has come back
    entry.name = candidate.name ?? entry.name;
    entry.isDraining = candidate.isDraining === true;
    entry.listings.set(run, { isComplete, seenMs: nowMs, goneSinceMs: undefined });
    return before === undefined || isBack;
  }

  #entry({ address, name }: Candidate, nowMs: number): Entry | undefined {
    const known = this.#entries.get(address);
    if (known !== undefined) return known;
    if (this.#entries.size >= ENTRIES_MAX) {
      this.refused += 1;
      return undefined;
    }
    const entry: Entry = {
      address,
      order: this.#random(),
      listings: new Map(),
      name,
      isDraining: false,
      isSelf: false,
      isDialling: false,
      dueMs: nowMs,
      quietUntilMs: 0,
      failures: 0,
      lastError: undefined,
      member: undefined,
    };
    this.#entries.set(address, entry);
    return entry;
  }
}

/** Labels of the sources that have it, or had it last. */
export function sourcesOf({ listings }: Entry): readonly string[] {
  const all = [...listings];
  const present = all.filter(([, { goneSinceMs }]) => goneSinceMs === undefined);
  return (present.length > 0 ? present : all).map(([run]) => run.label);
}

/** Whether a source has it, or one that had it wants it dialled on. */
export function isWanted({ listings }: Entry): boolean {
  for (const [{ source }, { goneSinceMs }] of listings) {
    if (goneSinceMs === undefined || source.prune === "never") return true;
  }
  return false;
}

/** Whether hooks connect it in place of this node. */
export function isHooked({ listings }: Entry): boolean {
  return [...listings.keys()].every(({ source }) => source.connect !== undefined);
}

/** Whether it is to be forgotten. See {@link isForgotten}. */
export function isDone(entry: Entry, isUp: boolean, nowMs: number): boolean {
  const listings = [...entry.listings].map(([{ source }, listing]): Listing => {
    const { prune, graceMs } = source;
    if (listing.isComplete) return { prune, graceMs, goneSinceMs: listing.goneSinceMs };
    // Nobody says of these that they are gone; they are just not heard of any more.
    const cautious = prune === "never" ? prune : "grace";
    return { prune: cautious, graceMs, goneSinceMs: listing.seenMs };
  });
  return isForgotten(listings, isUp, nowMs);
}
