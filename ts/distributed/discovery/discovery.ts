import { type CancelTimer, type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { raise, TypedEvents, type Unsubscribe } from "../../base/typed-events.ts";
import type { DownEvent, Member } from "../../kernel/members.ts";
import { parseAddress } from "../../kernel/options.ts";
import { CandidateBook, type Entry, isDone, sourcesOf } from "./candidate-book.ts";
import { Dialler, type DialNews } from "./dialler.ts";
import type { DiscoveryNode } from "./discovery-node.ts";
import {
  type DiscoveryOptions,
  type ResolvedDiscovery,
  resolveDiscovery,
} from "./discovery-options.ts";
import type {
  CandidateStatus,
  DiscoveryEvents,
  DiscoveryFailure,
  DiscoveryStatus,
  DiscoveryStep,
  ReconnectFigures,
} from "./discovery-types.ts";
import { disconnectByHook, HookedNodes } from "./hooked-nodes.ts";
import { Presence } from "./presence.ts";
import type { CandidateSet } from "./provider.ts";
import { failureOf, SourceRun } from "./source-run.ts";

/** How often it is looked at who is to be forgotten and which sources rest. Unit: ms. */
const REVIEW_MS = 1_000;

/** What a search works with besides its options; tests bring their own. */
export interface DiscoveryTools {
  readonly clock?: Clock;
  readonly random?: () => number;
  /** How the sources were chosen. */
  readonly steps?: readonly DiscoveryStep[];
}

/**
 * The search for other nodes: what sources say is a hint, and no failure of theirs takes a member
 * away. Runs in the isolate that started the node.
 */
export class Discovery {
  readonly #node: DiscoveryNode;
  readonly #events = new TypedEvents<DiscoveryEvents>();
  #search: Search | undefined;

  /** Use `node.distributed.discovery`. */
  constructor(node: DiscoveryNode) {
    this.#node = node;
  }

  /** Calls `listener` at every event of that name until the returned function is called. */
  on<Name extends keyof DiscoveryEvents>(
    name: Name,
    listener: (event: DiscoveryEvents[Name]) => void,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  /**
   * Begins to look for others. `Foundation.start` does that where it was given `discovery`.
   *
   * @throws FoundationError `invalid_options`, also where a search is under way
   */
  start(options: DiscoveryOptions, tools: DiscoveryTools = {}): void {
    if (this.#search !== undefined) {
      throw new FoundationError("invalid_options", "this node looks for others already");
    }
    const resolved = resolveDiscovery(options);
    checkPrunes(resolved, this.#node);
    this.#search = new Search(this.#node, resolved, this.#events, tools);
  }

  /** How the search stands. */
  status(): DiscoveryStatus {
    return this.#search?.status() ?? NO_SEARCH;
  }

  /**
   * Ends the search; sources take back what they were told of this node. Members stay. Resolves
   * when all have, or after some seconds.
   */
  async stop(): Promise<void> {
    const search = this.#search;
    this.#search = undefined;
    await search?.close();
  }
}

const NO_SEARCH: DiscoveryStatus = Object.freeze({
  state: "off",
  sources: [],
  candidates: [],
  reconnects: Object.freeze({ count: 0, lastMs: 0, longestMs: 0 }),
  pruned: 0,
  refused: 0,
  steps: [],
});

function checkPrunes({ sources }: ResolvedDiscovery, { hasOverlays }: DiscoveryNode): void {
  const hasImmediate = sources.some((one) => one.prune === "immediate" && !one.disconnect);
  if (!hasOverlays || !hasImmediate) return;
  const text = "prune: 'immediate' ends links, which overlays decide about: use 'grace' or 'never'";
  throw new FoundationError("invalid_options", text);
}

/** A search under way. */
class Search {
  readonly #node: DiscoveryNode;
  readonly #clock: Clock;
  readonly #options: ResolvedDiscovery;
  readonly #events: TypedEvents<DiscoveryEvents>;
  readonly #steps: readonly DiscoveryStep[];
  readonly #book: CandidateBook;
  readonly #presence: Presence;
  readonly #dialler: Dialler;
  readonly #hooked: HookedNodes;
  readonly #runs: readonly SourceRun[];
  readonly #lostAtMs = new Map<string, number>();
  readonly #stopSelf: Unsubscribe;
  #reconnects: ReconnectFigures = NO_SEARCH.reconnects;
  #pruned = 0;
  #cancel: CancelTimer;
  #isClosed = false;

  constructor(
    node: DiscoveryNode,
    options: ResolvedDiscovery,
    events: TypedEvents<DiscoveryEvents>,
    { clock = SYSTEM_CLOCK, random = Math.random, steps = [] }: DiscoveryTools,
  ) {
    this.#node = node;
    this.#clock = clock;
    this.#options = options;
    this.#events = events;
    this.#steps = steps;
    this.#book = new CandidateBook(random);
    this.#presence = new Presence(
      node,
      (member) => this.#onUp(member),
      (down, address) => this.#onDown(down, address),
    );
    const ground = { node, clock, random, options, book: this.#book, presence: this.#presence };
    const news: DialNews = {
      dialled: (event) => events.emit("dialled", event),
      dialFailed: (event) => events.emit("dialFailed", event),
    };
    this.#dialler = new Dialler(ground, news);
    const members = (): readonly string[] => this.#presence.names();
    this.#hooked = new HookedNodes({ node, book: this.#book, clock, members }, news);
    this.#stopSelf = node.on("dialFailed", ({ address, code }) => {
      const entry = this.#book.at(address);
      if (entry !== undefined && code === "self_dial") entry.isSelf = true;
    });
    const { host, port } = parseAddress(node.address, "address");
    const self = { name: node.name, cluster: node.cluster, address: node.address, host, port };
    const listener = {
      onSet: (run: SourceRun, set: CandidateSet, isEmpty: boolean) => {
        this.#onSet(run, set, isEmpty);
      },
      onFailure: (run: SourceRun, error: DiscoveryFailure, retryInMs: number) => {
        const { failuresInARow } = run.status();
        events.emit("sourceFailed", { source: run.label, error, failuresInARow, retryInMs });
      },
      onRecovery: (run: SourceRun, failures: number) => {
        events.emit("sourceRecovered", { source: run.label, failures });
      },
    };
    this.#runs = options.sources.map(
      (one) => new SourceRun(one, { self, clock, random }, listener),
    );
    this.#appoint();
    this.#cancel = this.#plan();
  }

  status(): DiscoveryStatus {
    const sources = this.#runs.map((run) => run.status());
    const asked = sources.filter(({ state }) => state !== "standby");
    const isDegraded = asked.some(({ state }) => state === "failing" || state === "empty");
    const isSearching = asked.some(({ state }) => state === "starting");
    return {
      state: isDegraded ? "degraded" : isSearching ? "searching" : "healthy",
      sources,
      candidates: [...this.#book.all()].map((entry) => this.#candidate(entry)),
      reconnects: this.#reconnects,
      pruned: this.#pruned,
      refused: this.#book.refused,
      steps: this.#steps,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#stopSelf();
    this.#presence.close();
    this.#dialler.close();
    await Promise.all(this.#runs.map(async (run) => run.close()));
  }

  #candidate(entry: Entry): CandidateStatus {
    const { address, name, failures, lastError } = entry;
    const member = this.#presence.memberOf(entry)?.name ?? entry.member;
    const state = this.#dialler.stateOf(entry);
    return { address, name, member, state, sources: sourcesOf(entry), failures, lastError };
  }

  #onSet(run: SourceRun, set: CandidateSet, isEmpty: boolean): void {
    const change = this.#book.take(run, set, this.#clock.now());
    const candidates = set.candidates.length;
    this.#events.emit("candidates", { source: run.label, candidates, ...change, isEmpty });
    this.#hooked.take(run, set);
    this.#review();
  }

  #onUp(member: Member): void {
    const lostAtMs = this.#lostAtMs.get(member.name);
    if (lostAtMs === undefined) return this.#dialler.turn();
    this.#lostAtMs.delete(member.name);
    const tookMs = this.#clock.now() - lostAtMs;
    const { count, longestMs } = this.#reconnects;
    const longest = Math.max(longestMs, tookMs);
    this.#reconnects = { count: count + 1, lastMs: tookMs, longestMs: longest };
    this.#events.emit("reconnected", { name: member.name, tookMs });
    this.#dialler.turn();
  }

  #onDown({ name, reason }: DownEvent, address: string | undefined): void {
    const byAddress = address === undefined ? undefined : this.#book.at(address);
    const entry = byAddress ?? [...this.#book.all()].find((one) => one.member === name);
    if (entry === undefined) return;
    entry.member = name;
    if (reason !== "left") this.#lostAtMs.set(name, this.#clock.now());
    this.#dialler.lost(entry, reason);
  }

  /** Who is to be forgotten, who is to be dialled, which sources rest. */
  #review(): void {
    if (this.#isClosed) return;
    const nowMs = this.#clock.now();
    for (const entry of [...this.#book.all()]) {
      const isUp = this.#presence.memberOf(entry) !== undefined;
      if (isDone(entry, isUp, nowMs)) this.#prune(entry, isUp);
    }
    this.#appoint();
    this.#dialler.turn();
  }

  #plan(): CancelTimer {
    return this.#clock.after(REVIEW_MS, () => {
      this.#review();
      if (!this.#isClosed) this.#cancel = this.#plan();
    });
  }

  #prune(entry: Entry, wasUp: boolean): void {
    this.#book.remove(entry);
    this.#pruned += 1;
    const member = this.#presence.memberOf(entry);
    this.#lostAtMs.delete(member?.name ?? entry.member ?? "");
    const { address } = entry;
    const name = entry.name ?? member?.name ?? entry.member;
    const tell = (answer: boolean | "ignored"): void => {
      this.#events.emit("pruned", { address, name, sources: sourcesOf(entry), wasUp, answer });
    };
    const hooked = disconnectByHook(entry).then((answer) => {
      if (answer !== undefined) return tell(answer);
      const addresses = member === undefined ? [address] : [address, member.address];
      this.#node.forget(addresses, { hangUp: wasUp });
      tell(wasUp);
    });
    hooked.catch((thrown: unknown) => {
      entry.lastError = failureOf(thrown, this.#clock.wallNow());
      tell(false);
    });
  }

  /** Has the sources asked that are to be: all, or the first one that answers and those before. */
  #appoint(): void {
    const { use, failoverAfterMs } = this.#options;
    let isNeeded = true;
    for (const run of this.#runs) {
      if (!isNeeded) {
        if (run.isRunning) run.rest().catch(raise);
        continue;
      }
      run.start();
      if (use === "failover") isNeeded = run.silentMs >= failoverAfterMs;
    }
  }
}
