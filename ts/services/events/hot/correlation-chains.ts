import { type Columns, NONE } from "./columns.ts";
import type { Visit } from "./sorted-slots.ts";

/** Stands in front of a slot that is in no chain. */
const APART = -2;
const FNV_PRIME = 0x0100_0193;

/**
 * Finds slots by correlation id: a table of hashes, with the slots of a hash in a chain. Ids are
 * often new with each event, so nothing is kept for one but a number; whoever asks compares.
 */
export class CorrelationChains {
  readonly #columns: Columns;
  /** Others may choose the ids: they must not know who shares a chain. */
  readonly #seed = crypto.getRandomValues(new Int32Array(1))[0] as number;
  #heads: Int32Array;

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#heads = new Int32Array(columns.capacity).fill(NONE);
  }

  /** Memory of the table. Unit: bytes. */
  get bytes(): number {
    return this.#heads.byteLength;
  }

  add(slot: number, correlationId: string | null): void {
    if (correlationId === null) {
      this.#columns.chainPrevious[slot] = APART;
      return;
    }
    if (this.#heads.length < this.#columns.capacity) this.#grow();
    this.#columns.hashes[slot] = this.#hash(correlationId);
    this.#link(slot);
  }

  remove(slot: number): void {
    const { chainPrevious, chainNext, hashes } = this.#columns;
    const previous = chainPrevious[slot] as number;
    if (previous === APART) return;
    const next = chainNext[slot] as number;
    if (next !== NONE) chainPrevious[next] = previous;
    if (previous !== NONE) chainNext[previous] = next;
    else this.#heads[this.#place(hashes[slot] as number)] = next;
  }

  /** Visits slots that have this id, and perhaps a few that do not; the latest one first. */
  visit(correlationId: string, visit: Visit): void {
    const { chainNext, hashes } = this.#columns;
    const hash = this.#hash(correlationId);
    for (let slot = this.#heads[this.#place(hash)] as number; slot !== NONE; ) {
      const next = chainNext[slot] as number;
      if (hashes[slot] === hash && !visit(slot)) return;
      slot = next;
    }
  }

  #link(slot: number): void {
    const { chainPrevious, chainNext, hashes } = this.#columns;
    const place = this.#place(hashes[slot] as number);
    const head = this.#heads[place] as number;
    chainPrevious[slot] = NONE;
    chainNext[slot] = head;
    if (head !== NONE) chainPrevious[head] = slot;
    this.#heads[place] = slot;
  }

  /** Twice the places: each chain is dealt out anew, its oldest slot first. */
  #grow(): void {
    const before = this.#heads;
    const { chainNext } = this.#columns;
    this.#heads = new Int32Array(this.#columns.capacity).fill(NONE);
    const chain: number[] = [];
    for (const head of before) {
      for (let slot = head; slot !== NONE; slot = chainNext[slot] as number) chain.push(slot);
      while (chain.length > 0) this.#link(chain.pop() as number);
    }
  }

  #place(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.#heads.length - 1);
  }

  #hash(text: string): number {
    let hash = this.#seed;
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
    }
    return hash;
  }
}
