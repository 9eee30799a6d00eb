import { FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { ResolvedSource } from "./discovery-options.ts";
import type { DiscoveryFailure, SourceState, SourceStatus } from "./discovery-types.ts";
import { type CandidateSet, type ProviderContext, pause } from "./provider.ts";
import { backOff } from "./rules/back-off.ts";
import { type ScreenReason, screen } from "./rules/screening.ts";

/** A run that gave good answers for so long was sound: its failure is the first of a row. */
const SOUND_AFTER_MS = 10_000;
/** Different reasons that are counted for one source; others are counted together. */
const REASONS_MAX = 32;
/** A source that does not end when it is asked to is left to itself after so long. Unit: ms. */
const CLOSE_LIMIT_MS = 2_000;

/** Who hears of a source. */
export interface SourceListener {
  /** It gave a set, screened. Empty: it should have somebody and has nobody. */
  onSet(run: SourceRun, set: CandidateSet, isEmpty: boolean): void;
  /** It could not be asked. */
  onFailure(run: SourceRun, error: DiscoveryFailure, retryInMs: number): void;
  /** It answers again, after so many failures in a row. */
  onRecovery(run: SourceRun, failures: number): void;
}

type Ground = Omit<ProviderContext, "signal" | "note">;

/** What was thrown, as a status shows it. */
export function failureOf(thrown: unknown, atMs: number): DiscoveryFailure {
  const code = thrown instanceof FoundationError ? thrown.code : "discovery_failed";
  return { code, message: thrownText(thrown), atMs };
}

/** One source: asked again and again, with pauses after failures, and what is known of it. */
export class SourceRun {
  readonly source: ResolvedSource;
  readonly #ground: Ground;
  readonly #listener: SourceListener;
  readonly #notes = new Map<string, number>();
  readonly #dropped = new Map<ScreenReason, number>();
  #abort: AbortController | undefined;
  #ended: Promise<void> = Promise.resolve();
  #state: SourceState = "standby";
  #answers = 0;
  #candidates = 0;
  #failures = 0;
  #failuresInARow = 0;
  /** As the failures in a row, but a good answer alone does not end it: a flapping source waits. */
  #step = 0;
  #lastError: DiscoveryFailure | undefined;
  #answeredAtMs: number | undefined;
  #goodSinceMs = 0;
  #lastGoodMs: number;

  constructor(source: ResolvedSource, ground: Ground, listener: SourceListener) {
    this.source = source;
    this.#ground = ground;
    this.#listener = listener;
    this.#lastGoodMs = ground.clock.now();
  }

  /** The label of its provider. */
  get label(): string {
    return this.source.provider.label;
  }

  /** Whether it is asked. */
  get isRunning(): boolean {
    return this.#abort !== undefined;
  }

  /** For how long it gave no good answer; 0 where it has none left to give. Unit: ms. */
  get silentMs(): number {
    if (this.#state === "healthy" || this.#state === "ended") return 0;
    return this.#ground.clock.now() - this.#lastGoodMs;
  }

  /** Begins to ask it. */
  start(): void {
    if (this.#abort !== undefined) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#state = "starting";
    this.#lastGoodMs = this.#ground.clock.now();
    this.#ended = this.#run(abort.signal);
  }

  /** Asks it no more until the next start. Resolves when it has let go of everything. */
  async rest(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#state = "standby";
    await this.#limited(this.#ended);
  }

  /** Asks it no more, and has it take back what it told of this node. */
  async close(): Promise<void> {
    await this.rest();
    try {
      await this.#limited(this.source.provider.close?.() ?? Promise.resolve());
    } catch (thrown) {
      this.#lastError = failureOf(thrown, this.#ground.clock.wallNow());
    }
  }

  /** How it is. */
  status(): SourceStatus {
    const { kind, label } = this.source.provider;
    return {
      kind,
      label,
      state: this.#state,
      answers: this.#answers,
      answeredAtMs: this.#answeredAtMs,
      failures: this.#failures,
      failuresInARow: this.#failuresInARow,
      lastError: this.#lastError,
      candidates: this.#candidates,
      dropped: Object.fromEntries(this.#dropped),
      notes: Object.fromEntries(this.#notes),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const note = (reason: string, count = 1): void => this.#note(reason, count);
    const context: ProviderContext = { ...this.#ground, signal, note };
    while (!signal.aborted) {
      this.#goodSinceMs = Number.POSITIVE_INFINITY;
      try {
        for await (const set of this.source.provider.candidates(context)) {
          if (signal.aborted) return;
          this.#answered(set);
        }
        if (!signal.aborted) this.#state = "ended";
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        await pause({ ...this.#ground, signal }, this.#failed(thrown));
      }
    }
  }

  #answered(set: CandidateSet): void {
    const { clock, self } = this.#ground;
    const failures = this.#failuresInARow;
    this.#failuresInARow = 0;
    this.#answers += 1;
    this.#answeredAtMs = clock.wallNow();
    this.#goodSinceMs = Math.min(this.#goodSinceMs, clock.now());
    const { candidates, dropped } = screen(set, self);
    for (const [reason, count] of Object.entries(dropped) as [ScreenReason, number][]) {
      this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
    }
    const hasSelf = set.knowsSelf === true || "ownAddress" in dropped;
    const isEmpty = set.isComplete && candidates.length === 0 && !hasSelf;
    this.#state = isEmpty ? "empty" : "healthy";
    if (!isEmpty) this.#lastGoodMs = clock.now();
    if (candidates.length > 0) this.#candidates = candidates.length;
    this.#listener.onSet(this, { candidates, isComplete: set.isComplete }, isEmpty);
    if (failures > 0) this.#listener.onRecovery(this, failures);
  }

  /** Takes a failure down; answers the pause after it. */
  #failed(thrown: unknown): number {
    const { clock, random } = this.#ground;
    const wasSound = clock.now() - this.#goodSinceMs >= SOUND_AFTER_MS;
    this.#failures += 1;
    this.#failuresInARow += 1;
    this.#step = wasSound ? 1 : this.#step + 1;
    this.#state = "failing";
    this.#lastError = failureOf(thrown, clock.wallNow());
    const delayMs = backOff(this.#step, random());
    this.#listener.onFailure(this, this.#lastError, delayMs);
    return delayMs;
  }

  #note(reason: string, count: number): void {
    const isKnown = this.#notes.has(reason) || this.#notes.size < REASONS_MAX;
    const key = isKnown ? reason : "other";
    this.#notes.set(key, (this.#notes.get(key) ?? 0) + count);
  }

  /** Waits for a source, which may not do as it is asked, no longer than the limit. */
  async #limited(work: Promise<void>): Promise<void> {
    const limit = new AbortController();
    const late = pause({ clock: this.#ground.clock, signal: limit.signal }, CLOSE_LIMIT_MS);
    await Promise.race([work, late]).finally(() => limit.abort());
  }
}
