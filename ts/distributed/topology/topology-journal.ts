import type { TopologyDecision, TopologyRecord } from "./topology-types.ts";

/** Decisions and switches, the oldest of which make way. */
export class TopologyJournal {
  readonly #max: number;
  readonly #records: TopologyRecord[] = [];
  /** The last decision of each overlay that was written down. */
  readonly #decided = new Map<string, TopologyDecision>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Writes down what happened. A decision that is as the last one of its overlay is not. */
  add(record: TopologyRecord): void {
    if (record.kind === "decision") {
      const last = this.#decided.get(record.overlay);
      if (last !== undefined && isSame(last, record)) return;
      this.#decided.set(record.overlay, record);
    }
    this.#records.push(record);
    if (this.#records.length > this.#max) this.#records.shift();
  }

  /** What is kept, oldest first. */
  all(): readonly TopologyRecord[] {
    return [...this.#records];
  }
}

function isSame(one: TopologyDecision, other: TopologyDecision): boolean {
  return (
    one.rule === other.rule && one.verdict === other.verdict && one.proposal === other.proposal
  );
}
