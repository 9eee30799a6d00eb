import type { BenchRecord } from "../../bench/record.mjs";
import { ratioOf, summarise } from "../../bench/statistics.mjs";

/** The machine of every sample. */
export const MACHINE = {
  cores: 2,
  processor: "a processor",
  memoryBytes: 24 * 2 ** 30,
  system: "Linux 6.1",
  node: "20.19.0",
  otp: "25",
  loadBefore: 0,
  takenAt: "2026-01-01T00:00:00.000Z",
};

/** What a sample says; the rest of a record follows from it. */
export interface Sample {
  readonly suite: string;
  readonly case: string;
  readonly group?: string;
  readonly better?: "higher" | "lower";
  readonly ours: readonly number[];
  readonly peers?: Readonly<Record<string, readonly number[]>>;
  readonly target?: BenchRecord["target"];
}

/** A whole record, as a run writes it. */
export function sampleRecord(sample: Sample): BenchRecord & { machine: typeof MACHINE } {
  const better = sample.better ?? "higher";
  const ours = summarise(sample.ours);
  const peers = Object.fromEntries(
    Object.entries(sample.peers ?? {}).map(([name, runs]) => [name, summarise(runs)]),
  );
  const ratios = Object.fromEntries(
    Object.entries(peers).map(([name, peer]) => [name, ratioOf(ours, peer, better)]),
  );
  return {
    suite: sample.suite,
    case: sample.case,
    group: sample.group ?? sample.case,
    unit: "messages/s",
    better,
    ours,
    peers,
    absent: [],
    ratios,
    ...(sample.target && { target: sample.target }),
    machine: MACHINE,
  };
}
