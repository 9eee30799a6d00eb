import { FoundationError } from "../../base/errors.ts";
import { raise } from "../../base/typed-events.ts";
import { type CandidateBook, type Entry, sourcesOf } from "./candidate-book.ts";
import type { DialNews } from "./dialler.ts";
import type { HookAnswer } from "./discovery-options.ts";
import type { CandidateSet } from "./provider.ts";
import { failureOf, type SourceRun } from "./source-run.ts";

/** Hooks that are called at the same time. */
const CALLS_MAX = 16;

/** What hooks need of the search. */
export interface HookGround {
  readonly node: { readonly name: string; readonly address: string };
  readonly book: CandidateBook;
  readonly clock: { now(): number; wallNow(): number };
  /** Members that are up. */
  readonly members: () => readonly string[];
}

function checkedAnswer(hook: string, answer: unknown): HookAnswer {
  if (answer === true || answer === false || answer === "ignored") return answer;
  const text = `the hook ${hook} answers true, false or "ignored", not ${String(answer)}`;
  throw new FoundationError("discovery_failed", text);
}

/** Calls the hooks of sources: those of one source for one set at a time, the latest next. */
export class HookedNodes {
  readonly #ground: HookGround;
  readonly #news: DialNews;
  /** Sources whose hooks are being called, and the set that waits for that to end. */
  readonly #busy = new Map<SourceRun, CandidateSet | undefined>();

  constructor(ground: HookGround, news: DialNews) {
    this.#ground = ground;
    this.#news = news;
  }

  /** A source with a hook gave a set. */
  take(run: SourceRun, set: CandidateSet): void {
    if (run.source.connect === undefined) return;
    if (this.#busy.has(run)) this.#busy.set(run, set);
    else void this.#connect(run, set);
  }

  async #connect(run: SourceRun, first: CandidateSet): Promise<void> {
    let next: CandidateSet | undefined = first;
    while (next !== undefined) {
      this.#busy.set(run, undefined);
      try {
        await connectByHook(run, next, this.#ground, this.#news);
      } catch (thrown) {
        raise(thrown); // of `listNodes`, or of a listener
      }
      next = this.#busy.get(run);
    }
    this.#busy.delete(run);
  }
}

/**
 * Has the hook `connect` of a source connect whom it lists and `listNodes` does not have: all nodes
 * less those and this one.
 */
async function connectByHook(
  run: SourceRun,
  set: CandidateSet,
  { node, book, clock, members }: HookGround,
  news: DialNews,
): Promise<void> {
  const { connect, listNodes = members } = run.source;
  if (connect === undefined) return;
  const connected = new Set(await listNodes());
  const queue = set.candidates
    .filter(({ isDraining }) => isDraining !== true)
    .map(({ address, name = address }) => ({ address, name }))
    .filter(({ name }) => name !== node.name && !connected.has(name));
  const ask = async (address: string, name: string): Promise<void> => {
    const entry = book.at(address);
    const beganMs = clock.now();
    const sources = entry === undefined ? [run.label] : sourcesOf(entry);
    try {
      const answer = checkedAnswer("connect", await connect(name));
      const tookMs = clock.now() - beganMs;
      if (answer === true) return news.dialled({ address, name, sources, tookMs });
      const text = answer === false ? "unreachable" : "not_part_of_network";
      throw new FoundationError("discovery_failed", text);
    } catch (thrown) {
      const error = failureOf(thrown, clock.wallNow());
      if (entry !== undefined) entry.lastError = error;
      news.dialFailed({ address, name, sources, error, retryInMs: 0 });
    }
  };
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await ask(next.address, next.name);
    }
  };
  await Promise.all(Array.from({ length: CALLS_MAX }, worker));
}

/** What the hook `disconnect` of a candidate's sources answers; undefined where there is none. */
export async function disconnectByHook(entry: Entry): Promise<HookAnswer | undefined> {
  for (const { source } of entry.listings.keys()) {
    if (source.disconnect === undefined) continue;
    return checkedAnswer("disconnect", await source.disconnect(entry.name ?? entry.address));
  }
  return undefined;
}
