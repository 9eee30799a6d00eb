import type { Clock } from "../../base/clock.ts";
import { Alarm, type WaitGround } from "./alarm.ts";

/** A node that a source tells of. A hint: who it is only its handshake tells. */
export interface Candidate {
  /** IP address and port, like `10.0.0.7:7000` or `[fd00::7]:7000`. */
  readonly address: string;
  /** What the source calls it, like `app@10.0.0.7`. Default: none. */
  readonly name?: string;
  /** The source says that it is about to end: it is not dialled. Default: false. */
  readonly isDraining?: boolean;
}

/** What a source knows at one moment. */
export interface CandidateSet {
  /** At most 1,024 of them are looked at. */
  readonly candidates: readonly Candidate[];
  /**
   * Whether these are all that there are. Who misses in a complete set is gone from the source; a
   * set that is not complete (one heartbeat of one node) only adds.
   */
  readonly isComplete: boolean;
  /**
   * The source has this node itself, left out of the candidates: nobody else is a good answer then,
   * where an empty one of another source is none. Default: false.
   */
  readonly knowsSelf?: boolean;
}

/** The node that looks for others, as others reach it. */
export interface DiscoveringNode {
  /** Name of the node. */
  readonly name: string;
  /** Name of its cluster. */
  readonly cluster: string;
  /** `host:port` under which others reach it. */
  readonly address: string;
  /** The IP address in it. */
  readonly host: string;
  /** The port in it; what a source tells of without a port is looked for at the same one. */
  readonly port: number;
}

/** What a provider left out of its answers, or could not read; counted by reason. */
export type ProviderNote = (reason: string, count?: number) => void;

/** What a provider works with. */
export interface ProviderContext {
  /** The node that looks for others. */
  readonly self: DiscoveringNode;
  /** Aborted when nobody wants the answers any more: whatever waits has to end at once. */
  readonly signal: AbortSignal;
  /** Where waits come from. */
  readonly clock: Clock;
  /** A number from 0 to below 1; what is spread in time is spread by it. */
  readonly random: () => number;
  /** Counts something that was left out (`badAddress`, `notReady`), shown in the status. */
  readonly note: ProviderNote;
}

/**
 * A source of candidates. `candidates` gives a set whenever there may be news; it throws where the
 * source cannot be asked, and is called anew after a pause that grows from 1 s to 60 s. It ends by
 * itself when the signal is aborted, and where nothing can change any more.
 */
export interface DiscoveryProvider {
  /** What kind of source it is, like `dns`. */
  readonly kind: string;
  /** The source among others of its kind, without secrets, like `dns app.internal`. */
  readonly label: string;
  /** Whether to ask the source is to tell it of this node. Default: false. */
  readonly announces?: boolean;
  /** The sets, one after the other. */
  candidates(context: ProviderContext): AsyncIterable<CandidateSet>;
  /** Takes back what it told the source of this node. Called once, after the last set. */
  close?(): Promise<void>;
}

/** Resolves after a time, or at once when the signal is aborted: look at it then. */
export async function pause(ground: WaitGround, delayMs: number): Promise<void> {
  await new Alarm().wait(ground, delayMs);
}

/** Resolves at a time of the clock, at once where that is past, or when the signal is aborted. */
export async function pauseUntil(ground: WaitGround, atMs: number): Promise<void> {
  const leftMs = atMs - ground.clock.now();
  if (leftMs > 0) await pause(ground, leftMs);
}

/** A source that is asked again and again. The pause between two answers is spread by a tenth. */
export async function* polled(
  context: ProviderContext,
  intervalMs: number,
  ask: () => Promise<CandidateSet>,
): AsyncGenerator<CandidateSet> {
  while (!context.signal.aborted) {
    yield await ask();
    await pause(context, intervalMs * (0.95 + context.random() / 10));
  }
}
