import type { ScreenReason } from "./rules/screening.ts";

/** An error as a status shows it. */
export interface DiscoveryFailure {
  readonly code: string;
  readonly message: string;
  /** Unit: ms since 1970. */
  readonly atMs: number;
}

/**
 * How a source is. `starting`: it has not answered yet; `healthy`: its last answer was good;
 * `empty`: it answered that there is nobody, and its last good answer is kept; `failing`: it could
 * not be asked, and its last good answer is kept; `standby`: others before it do; `ended`: it has
 * said all that it will ever say.
 */
export type SourceState = "starting" | "healthy" | "empty" | "failing" | "standby" | "ended";

/** A source of addresses at one moment. */
export interface SourceStatus {
  /** Kind of the provider. */
  readonly kind: string;
  /** Label of the provider. */
  readonly label: string;
  readonly state: SourceState;
  /** Sets that it gave. Unit: sets. */
  readonly answers: number;
  /** When it gave the last one; undefined before the first. Unit: ms since 1970. */
  readonly answeredAtMs: number | undefined;
  /** Times that it could not be asked. Unit: failures. */
  readonly failures: number;
  /** Those since its last good answer. Unit: failures. */
  readonly failuresInARow: number;
  /** The last one. */
  readonly lastError: DiscoveryFailure | undefined;
  /** Candidates of its last good answer. Unit: candidates. */
  readonly candidates: number;
  /** What was left out of its sets, by reason. Unit: candidates. */
  readonly dropped: Readonly<Partial<Record<ScreenReason, number>>>;
  /** What the provider itself left out or could not read, by its own reasons. Unit: times. */
  readonly notes: Readonly<Record<string, number>>;
}

/**
 * How a candidate is. `member`: a member is up there; `waiting`: its next dial has a time;
 * `dialling`; `draining`: the source says that it ends; `left`: it left in good order, and is left
 * alone for a while; `self`: this node answered.
 */
export type CandidateState = "member" | "waiting" | "dialling" | "draining" | "left" | "self";

/** A candidate at one moment. */
export interface CandidateStatus {
  readonly address: string;
  /** What its source calls it. */
  readonly name: string | undefined;
  /** The member that answered there. */
  readonly member: string | undefined;
  readonly state: CandidateState;
  /** Labels of the sources that have it. */
  readonly sources: readonly string[];
  /** Dials that failed since the last that did not. Unit: dials. */
  readonly failures: number;
  /** The last one. */
  readonly lastError: DiscoveryFailure | undefined;
}

/** How reconnections went: from the loss of a candidate's member until it is up again. */
export interface ReconnectFigures {
  readonly count: number;
  /** Unit: ms. */
  readonly lastMs: number;
  /** Unit: ms. */
  readonly longestMs: number;
}

/** One step of how sources were chosen. */
export interface DiscoveryStep {
  /** What was looked at, like `kubernetes`. */
  readonly step: string;
  readonly isChosen: boolean;
  /** Why, and what to do to have it the other way. */
  readonly reason: string;
}

/** How the search for others stands. */
export interface DiscoveryStatus {
  /** `off`: no source was given. `degraded`: a source that should answer does not. */
  readonly state: "off" | "searching" | "healthy" | "degraded";
  readonly sources: readonly SourceStatus[];
  readonly candidates: readonly CandidateStatus[];
  readonly reconnects: ReconnectFigures;
  /** Candidates that were forgotten. Unit: candidates. */
  readonly pruned: number;
  /** Candidates that found no room among the 4,096 that are remembered. Unit: times. */
  readonly refused: number;
  /** How the sources were chosen, with `discovery: "auto"`; else empty. */
  readonly steps: readonly DiscoveryStep[];
}

/** What a search for others tells of. */
export interface DiscoveryEvents {
  /** A source gave a set. */
  candidates: {
    readonly source: string;
    readonly candidates: number;
    readonly added: number;
    readonly gone: number;
    readonly isEmpty: boolean;
  };
  /** A source could not be asked; what it said last is kept. */
  sourceFailed: {
    readonly source: string;
    readonly error: DiscoveryFailure;
    readonly failuresInARow: number;
    /** Unit: ms. */
    readonly retryInMs: number;
  };
  /** It answers again. */
  sourceRecovered: { readonly source: string; readonly failures: number };
  /** A candidate became a member. */
  dialled: {
    readonly address: string;
    readonly name: string;
    readonly sources: readonly string[];
    /** Unit: ms. */
    readonly tookMs: number;
  };
  /** A candidate did not answer. */
  dialFailed: {
    readonly address: string;
    readonly name: string | undefined;
    readonly sources: readonly string[];
    readonly error: DiscoveryFailure;
    /** Unit: ms. */
    readonly retryInMs: number;
  };
  /** A candidate that its sources list no more was forgotten. */
  pruned: {
    readonly address: string;
    readonly name: string | undefined;
    readonly sources: readonly string[];
    /** Whether a member was up there, and its link was ended. */
    readonly wasUp: boolean;
    /** With a hook that disconnects: what it answered. */
    readonly answer: boolean | "ignored";
  };
  /** A member that was lost is up again. */
  reconnected: {
    readonly name: string;
    /** Unit: ms. */
    readonly tookMs: number;
  };
}
