/** A summary of durations, in milliseconds. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * The value that at least this share of the samples does not exceed (nearest rank), so the result
 * is always one of the samples. `NaN` for none.
 */
export function percentile(ascending: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * ascending.length));
  return ascending[rank - 1] ?? Number.NaN;
}

/** Summarises durations in any order; the samples stay as they are. */
export function latencyFigures(samplesMs: readonly number[]): LatencyFigures {
  const ascending = [...samplesMs].sort((left, right) => left - right);
  return {
    count: ascending.length,
    p50Ms: percentile(ascending, 0.5),
    p99Ms: percentile(ascending, 0.99),
    maxMs: percentile(ascending, 1),
  };
}
