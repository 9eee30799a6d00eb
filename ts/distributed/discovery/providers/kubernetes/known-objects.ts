import { ENTRIES_MAX } from "../../entries.ts";
import { textAt } from "../../lines.ts";
import type { Candidate, CandidateSet, ProviderContext } from "../../provider.ts";
import { candidateOf } from "./candidate.ts";
import type { KubernetesPlan } from "./options.ts";
import { RESOURCES } from "./resources.ts";

/** Kubernetes takes no longer names. */
const NAME_CHARACTERS_MAX = 253;

/** The objects of a list, kept up to date by a watch, and the candidates in them. */
export class KnownObjects {
  readonly #plan: KubernetesPlan;
  readonly #context: ProviderContext;
  readonly #candidates = new Map<string, readonly Candidate[]>();
  #held = 0;
  #isOverfull = false;

  constructor(plan: KubernetesPlan, context: ProviderContext) {
    this.#plan = plan;
    this.#context = context;
  }

  /** Whether something was left out for want of room: only another list can bring it back. */
  get isOverfull(): boolean {
    return this.#isOverfull;
  }

  /** Takes an object in, or what has become of it. */
  put(object: unknown): void {
    const name = this.#nameOf(object);
    if (name === undefined) return;
    this.#forget(name);
    const { endpoints } = RESOURCES[this.#plan.source];
    const { port } = this.#plan;
    const found: Candidate[] = [];
    let left = 0;
    for (const endpoint of endpoints(object, typeof port === "string" ? port : undefined)) {
      const hasRoom = this.#held + found.length < ENTRIES_MAX;
      const candidate = hasRoom ? candidateOf(endpoint, this.#plan, this.#context) : undefined;
      if (candidate !== undefined) found.push(candidate);
      if (!hasRoom) left++;
    }
    // An object in which nobody is takes room too, and nobody would miss it.
    if (found.length > 0) this.#candidates.set(name, found);
    this.#held += found.length;
    if (left === 0) return;
    this.#isOverfull = true;
    this.#context.note("overLimit", left);
  }

  /** Takes out an object that is gone. */
  remove(object: unknown): void {
    const name = this.#nameOf(object);
    if (name !== undefined) this.#forget(name);
  }

  /** All candidates; of an address that several objects tell of, the one that stays. */
  set(): CandidateSet {
    const byAddress = new Map<string, Candidate>();
    for (const candidate of [...this.#candidates.values()].flat()) {
      const known = byAddress.get(candidate.address);
      if (known === undefined || known.isDraining === true) {
        byAddress.set(candidate.address, candidate);
      }
    }
    return { candidates: [...byAddress.values()], isComplete: !this.#isOverfull };
  }

  #nameOf(object: unknown): string | undefined {
    const name = textAt(object, "metadata", "name");
    if (name !== undefined && name.length <= NAME_CHARACTERS_MAX) return name;
    this.#context.note("noObject");
    return undefined;
  }

  #forget(name: string): void {
    this.#held -= this.#candidates.get(name)?.length ?? 0;
    this.#candidates.delete(name);
  }
}
