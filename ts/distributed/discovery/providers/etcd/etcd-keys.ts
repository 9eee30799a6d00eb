import { ENTRIES_MAX, readEntries } from "../../entries.ts";
import type { Candidate, CandidateSet, ProviderContext } from "../../provider.ts";
import type { EtcdEntry } from "./etcd-client.ts";

/** The keys of a cluster as a watch goes on, without the own one. */
export class EtcdKeys {
  readonly #context: Pick<ProviderContext, "self" | "note">;
  readonly #own: string;
  readonly #candidates = new Map<string, Candidate | undefined>();
  #isWhole: boolean;
  #hasOwn = false;

  constructor(
    context: Pick<ProviderContext, "self" | "note">,
    own: string,
    entries: readonly EtcdEntry[],
    isWhole: boolean,
  ) {
    this.#context = context;
    this.#own = own;
    this.#isWhole = isWhole;
    if (!isWhole) context.note("overLimit");
    this.apply(entries);
  }

  /** Whether no key is left out because there were too many. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Takes changes in, in the order in which they were made. */
  apply(entries: readonly EtcdEntry[]): void {
    for (const { key, value } of entries) {
      if (key === this.#own) this.#hasOwn = value !== undefined;
      else if (value === undefined) this.#candidates.delete(key);
      else if (this.#candidates.size < ENTRIES_MAX || this.#candidates.has(key)) {
        this.#candidates.set(key, this.#read(value));
      } else {
        this.#context.note("overLimit");
        this.#isWhole = false;
      }
    }
  }

  /** All of them. */
  set(): CandidateSet {
    const candidates = [...this.#candidates.values()].filter((one) => one !== undefined);
    return { candidates, isComplete: this.#isWhole, ...(this.#hasOwn && { knowsSelf: true }) };
  }

  #read(value: string): Candidate | undefined {
    return readEntries([parsed(value)], {}, this.#context).candidates[0];
  }
}

/** What a node wrote of itself, or an address that somebody wrote by hand. */
function parsed(value: string): unknown {
  if (!value.startsWith("{")) return value.trim();
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
