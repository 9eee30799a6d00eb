import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys, checkKind, checkWord } from "../../base/option-checks.ts";

/** Number of an interned text in its table. Never given to another text, even after eviction. */
export type AtomId = number;

/** What a full table does with a text that it does not have. */
export type AtomEviction = "none" | "lru";

const EVICTIONS: readonly AtomEviction[] = ["none", "lru"];

/** Bounds of an atom table. Defaults: {@link ATOM_DEFAULTS}. */
export interface AtomOptions {
  /** Most texts at a time. Unit: texts. */
  readonly atomsMax?: number;
  /** Most bytes of all texts together, in UTF-8. Unit: bytes. */
  readonly textBytesMax?: number;
  /**
   * `none`: a full table refuses. `lru`: it forgets what was used longest ago; its number then
   * means nothing any more.
   */
  readonly evict?: AtomEviction;
}

/** Bounds of an atom table unless the options say otherwise. */
export const ATOM_DEFAULTS: Required<AtomOptions> = Object.freeze({
  atomsMax: 100_000, // names of a program are thousands; more come from outside
  textBytesMax: 8 << 20, // some 80 bytes for each atom of atomsMax
  evict: "none", // a number that stays valid is what atoms are for
});

/** What an atom table holds, and what it did since it began. */
export interface AtomCounts {
  readonly atoms: number;
  readonly atomsMax: number;
  readonly textBytes: number;
  readonly textBytesMax: number;
  /** Texts that were there already. */
  readonly hits: number;
  /** Texts that the bounds kept out. */
  readonly refused: number;
  readonly evicted: number;
}

/**
 * Gives texts numbers, and finds the text of a number. Bounded: texts from outside cannot fill the
 * memory. A table belongs to its isolate; numbers mean nothing elsewhere.
 */
export class AtomTable {
  readonly #limits: Required<AtomOptions>;
  readonly #idOf = new Map<string, AtomId>();
  readonly #textOf = new Map<AtomId, string>();
  #next: AtomId = 1;
  #textBytes = 0;
  #hits = 0;
  #refused = 0;
  #evicted = 0;

  /** @throws FoundationError `invalid_options` */
  constructor(options: AtomOptions = {}) {
    checkKeys("the options of an atom table", options, Object.keys(ATOM_DEFAULTS));
    const limits = { ...ATOM_DEFAULTS, ...options };
    checkCount("atomsMax", limits.atomsMax);
    checkCount("textBytesMax", limits.textBytesMax);
    checkWord("evict", limits.evict, EVICTIONS);
    this.#limits = Object.freeze(limits);
  }

  /**
   * The number of a text, a new one where the table does not have it.
   *
   * @throws FoundationError `interner_full`: the bounds keep it out; `invalid_options` for what is
   *   no text
   */
  intern(text: string): AtomId {
    const known = this.#idOf.get(text);
    if (known !== undefined) {
      this.#hits++;
      if (this.#limits.evict === "lru") this.#touch(text, known);
      return known;
    }
    checkKind("an atom", typeof text === "string", "a text");
    const bytes = Buffer.byteLength(text);
    this.#makeRoom(bytes);
    const id = this.#next++;
    this.#idOf.set(text, id);
    this.#textOf.set(id, text);
    this.#textBytes += bytes;
    return id;
  }

  /** The text of a number; undefined where the table has none, or forgot it. */
  textOf(id: AtomId): string | undefined {
    const text = this.#textOf.get(id);
    if (text !== undefined && this.#limits.evict === "lru") this.#touch(text, id);
    return text;
  }

  /** The number of a text that the table has; looking interns nothing. */
  idOf(text: string): AtomId | undefined {
    return this.#idOf.get(text);
  }

  /** What it holds and did. */
  counts(): AtomCounts {
    const { atomsMax, textBytesMax } = this.#limits;
    return {
      atoms: this.#idOf.size,
      atomsMax,
      textBytes: this.#textBytes,
      textBytesMax,
      hits: this.#hits,
      refused: this.#refused,
      evicted: this.#evicted,
    };
  }

  /** Forgets all texts; their numbers are not given out again. */
  clear(): void {
    this.#idOf.clear();
    this.#textOf.clear();
    this.#textBytes = 0;
  }

  /** A map keeps the order of insertion: the first entry is the one used longest ago. */
  #touch(text: string, id: AtomId): void {
    this.#idOf.delete(text);
    this.#idOf.set(text, id);
  }

  #makeRoom(bytes: number): void {
    const { atomsMax, textBytesMax, evict } = this.#limits;
    const isFull = (): boolean =>
      this.#idOf.size >= atomsMax || this.#textBytes + bytes > textBytesMax;
    // What does not fit an empty table must not empty a full one.
    if (evict === "lru" && bytes <= textBytesMax) {
      while (isFull()) this.#evictOldest();
    }
    if (!isFull()) return;
    this.#refused++;
    const context = { atoms: this.#idOf.size, atomsMax, textBytes: this.#textBytes, textBytesMax };
    const text = `the atom table is full: ${context.atoms} texts, ${context.textBytes} bytes`;
    throw new FoundationError("interner_full", text, { context });
  }

  #evictOldest(): void {
    const [oldest] = this.#idOf;
    if (oldest === undefined) return;
    const [text, id] = oldest;
    this.#idOf.delete(text);
    this.#textOf.delete(id);
    this.#textBytes -= Buffer.byteLength(text);
    this.#evicted++;
  }
}
