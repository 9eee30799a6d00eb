/** An event as a log keeps it: its bytes as the codec wrote them, and what it is found by. */
export interface LoggedEvent {
  /** Unit: none; a whole number above zero. */
  readonly eventId: number;
  readonly eventType: string;
  readonly correlationId: string | null;
  /** Unit: ms since 1970, with fractions. */
  readonly timestamp: number;
  /** What `decodeEvent` reads. The log may keep it: nobody writes to it any more. */
  readonly bytes: Uint8Array;
}

/** Which events of a log somebody wants; what is left out does not matter. */
export interface EventLogQuery {
  /** Unit: text. Default: any. */
  readonly eventType?: string | undefined;
  /** Unit: text. Default: any. */
  readonly correlationId?: string | undefined;
  /** Earliest timestamp, inclusive. Unit: ms since 1970. Default: any. */
  readonly from?: number | undefined;
  /** Latest timestamp, inclusive. Unit: ms since 1970. Default: any. */
  readonly to?: number | undefined;
  /** What the answer is sorted by; then by id. Unit: word. Default: timestamp. */
  readonly orderBy?: "timestamp" | "eventId" | undefined;
  /** Whether the last one comes first. Unit: switch. Default: false. */
  readonly descending?: boolean | undefined;
  /** How many of the first to leave out. Unit: events. Default: 0. */
  readonly offset?: number | undefined;
  /** How many at most; above its own limit a log refuses. Unit: events. */
  readonly limit: number;
}

/** Figures of a log. */
export interface EventLogStats {
  /** Events in it. */
  readonly events: number;
  /** What it takes where it is kept. Unit: bytes. */
  readonly bytes: number;
  /** Greatest id in it; 0 where it is empty. Ids that are given out next are above it. */
  readonly eventIdMax: number;
  /** Events that were appended since it was opened. */
  readonly appended: number;
  /** Events that were pruned since it was opened, by `pruneBefore` or its own limits. */
  readonly pruned: number;
}

/**
 * A durable store of events beside the hot one. Calls may overlap: they take effect in the order
 * in which they are made.
 */
export interface EventLog {
  /**
   * Takes a batch, all or nothing; an id that is there already is replaced. Resolves when the batch
   * is as durable as the log was asked to be: from then on it is not lost.
   *
   * @throws FoundationError where the batch could not be kept
   */
  append(batch: readonly LoggedEvent[]): Promise<void>;
  /** The bytes of an event; undefined where there is none of that id. */
  get(eventId: number): Promise<Uint8Array | undefined>;
  /** The bytes of the events that somebody wants. */
  query(query: EventLogQuery): Promise<readonly Uint8Array[]>;
  /** Drops what happened before a time, exclusive. Unit: ms since 1970; answer: events. */
  pruneBefore(timestamp: number): Promise<number>;
  /** Figures of it. */
  stats(): Promise<EventLogStats>;
  /** Finishes what was begun and lets go of files; later calls reject. */
  close(): Promise<void>;
}
