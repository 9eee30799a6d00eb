import type { CancelTimer, Clock } from "../../base/clock.ts";
import { type CandidateBook, type Entry, isHooked, isWanted, sourcesOf } from "./candidate-book.ts";
import type { DiscoveryNode } from "./discovery-node.ts";
import type { ResolvedDiscovery } from "./discovery-options.ts";
import type { CandidateState, DiscoveryEvents } from "./discovery-types.ts";
import type { Presence } from "./presence.ts";
import { BACK_OFF_MOST_MS, backOff } from "./rules/back-off.ts";
import { failureOf } from "./source-run.ts";

/** After the first answer others are learnt from that member, and need no dial. Unit: ms. */
const LEARNING_MS = 300;
/** Who was lost is looked for by the core as well, which goes first. Unit: ms. */
const LOST_PAUSE_MS = 2_000;

/** Refusals that trying again soon does not cure. */
const LASTING = new Set(["auth_failed", "cluster_mismatch", "version_mismatch", "insecure_dial"]);

/** What a dialler works with. */
export interface DiallerGround {
  readonly node: DiscoveryNode;
  readonly clock: Clock;
  readonly random: () => number;
  readonly book: CandidateBook;
  readonly presence: Presence;
  readonly options: ResolvedDiscovery;
}

/** Who hears how the dials went. */
export type DialNews = {
  [Name in "dialled" | "dialFailed"]: (event: DiscoveryEvents[Name]) => void;
};

/** Dials candidates that are no members, a few at a time, each after its own pause. */
export class Dialler {
  readonly #ground: DiallerGround;
  readonly #news: DialNews;
  #underWay = 0;
  #learningUntilMs = 0;
  #cancel: CancelTimer | undefined;
  #isClosed = false;

  constructor(ground: DiallerGround, news: DialNews) {
    this.#ground = ground;
    this.#news = news;
  }

  /** Dials whoever is due, and looks again when the next one is. */
  turn(): void {
    if (this.#isClosed) return;
    const { book, clock, options } = this.#ground;
    const nowMs = clock.now();
    const waiting = [...book.all()].filter((entry) => this.#mayBeDialled(entry));
    waiting.sort((a, b) => this.#dueMs(a) - this.#dueMs(b) || a.order - b.order);
    for (const entry of waiting) {
      if (this.#underWay >= options.dialsMax || this.#dueMs(entry) > nowMs) break;
      void this.#dial(entry);
    }
    const next = waiting.find((entry) => !entry.isDialling);
    this.#cancel?.();
    // With all places taken the end of a dial is the next turn.
    if (next === undefined || this.#underWay >= options.dialsMax) return;
    this.#cancel = clock.after(Math.max(1, this.#dueMs(next) - nowMs), () => this.turn());
  }

  /** How a candidate is. */
  stateOf(entry: Entry): CandidateState {
    if (entry.isSelf) return "self";
    if (this.#ground.presence.memberOf(entry) !== undefined) return "member";
    if (entry.isDialling) return "dialling";
    if (entry.isDraining) return "draining";
    return entry.quietUntilMs > this.#ground.clock.now() ? "left" : "waiting";
  }

  /** The member of a candidate is gone. */
  lost(entry: Entry, reason: string): void {
    const { clock, options } = this.#ground;
    entry.dueMs = clock.now() + LOST_PAUSE_MS;
    if (reason === "left") entry.quietUntilMs = clock.now() + options.leftQuietMs;
    this.turn();
  }

  /** Dials nobody any more; a dial under way ends by itself. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #mayBeDialled(entry: Entry): boolean {
    const isOut = entry.isSelf || entry.isDraining || entry.isDialling || isHooked(entry);
    return !isOut && isWanted(entry) && this.#ground.presence.memberOf(entry) === undefined;
  }

  #dueMs({ dueMs, quietUntilMs, failures }: Entry): number {
    return Math.max(dueMs, quietUntilMs, failures === 0 ? this.#learningUntilMs : 0);
  }

  async #dial(entry: Entry): Promise<void> {
    const { node, clock, book, options } = this.#ground;
    const { address } = entry;
    const beganMs = clock.now();
    entry.isDialling = true;
    this.#underWay += 1;
    try {
      const member = await node.join([address], { timeoutMs: options.dialTimeoutMs });
      entry.member = member;
      entry.failures = 0;
      this.#learningUntilMs = clock.now() + LEARNING_MS;
      const tookMs = clock.now() - beganMs;
      this.#news.dialled({ address, name: member, sources: sourcesOf(entry), tookMs });
    } catch (thrown) {
      if (!this.#isClosed) this.#failed(entry, thrown);
    } finally {
      entry.isDialling = false;
      this.#underWay -= 1;
      // Whoever was forgotten meanwhile stays no seed of the core.
      if (book.at(address) === undefined && !this.#isClosed) node.forget([address]);
      this.turn();
    }
  }

  #failed(entry: Entry, thrown: unknown): void {
    const { node, clock, random } = this.#ground;
    const { address, name } = entry;
    // The core would go on dialling. When a stranger is dialled is decided here; who was a member
    // once is looked for by the core as well, until it is forgotten.
    if (entry.member === undefined) node.forget([address]);
    if (entry.isSelf) return;
    entry.failures += 1;
    const error = failureOf(thrown, clock.wallNow());
    entry.lastError = error;
    const isLasting = LASTING.has(error.code);
    const retryInMs = isLasting ? BACK_OFF_MOST_MS : backOff(entry.failures, random());
    entry.dueMs = clock.now() + retryInMs;
    const sources = sourcesOf(entry);
    this.#news.dialFailed({ address, name, sources, error, retryInMs });
  }
}
