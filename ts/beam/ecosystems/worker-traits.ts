/** What a heavy worker does beside its work. */
export interface WorkerTraits {
  /** Collects garbage after each piece of it. */
  readonly isCollecting: boolean;
  /** Where it hears of bytes in shared memory. */
  readonly channel: string | undefined;
}

/** A worker that only works. */
export const NO_TRAITS: WorkerTraits = Object.freeze({ isCollecting: false, channel: undefined });
