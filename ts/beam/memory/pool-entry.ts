import { FoundationError } from "../../base/errors.ts";
import { announce, depart, readersOf } from "./reader-count.ts";
import { type BinaryHolder, type BinaryTicket, bytesOf, releasedError } from "./shared-binary.ts";

/** Where the bytes of a binary are. */
export type EntryState =
  | { readonly kind: "shared"; readonly block: SharedArrayBuffer; readonly generation: number }
  | { readonly kind: "packed"; readonly packed: Uint8Array }
  | { readonly kind: "evicted" }
  | { readonly kind: "closed" };

/** What an entry needs of its pool. */
export interface EntryKeeper {
  readonly departures: SharedArrayBuffer;
  /** The entry was read. */
  touched(entry: PoolEntry): void;
  /** The bytes of a compressed entry, back in shared memory where there is room to spare. */
  unpacked(entry: PoolEntry, packed: Uint8Array): Uint8Array;
  /** Puts a compressed entry back into shared memory. */
  restore(entry: PoolEntry, packed: Uint8Array): void;
  /** The last handle of this isolate is gone. */
  released(entry: PoolEntry, isLast: boolean): void;
}

/** A binary of a pool. Its handles in the pool's isolate are one reader together. */
export class PoolEntry implements BinaryHolder {
  readonly byteLength: number;
  readonly isEvictable: boolean;
  /** Where the bytes are now; the pool moves them. */
  state: EntryState;
  readonly #keeper: EntryKeeper;
  #handles = 1;

  constructor(keeper: EntryKeeper, state: EntryState, byteLength: number, isEvictable: boolean) {
    this.#keeper = keeper;
    this.state = state;
    this.byteLength = byteLength;
    this.isEvictable = isEvictable;
  }

  /** Whether no other isolate reads it, or is about to. */
  get isHereAlone(): boolean {
    return this.state.kind === "shared" && readersOf(this.state.block).readers === 1;
  }

  bytes(): Uint8Array {
    this.#check();
    const { state } = this;
    this.#keeper.touched(this);
    if (state.kind === "packed") return this.#keeper.unpacked(this, state.packed);
    if (state.kind === "shared") return bytesOf(state.block, this.byteLength);
    throw releasedError("the pool is closed");
  }

  retain(): void {
    this.#check();
    this.#handles++;
  }

  release(): void {
    this.#handles--;
    if (this.#handles > 0 || this.state.kind === "closed") return;
    const isLast = this.state.kind !== "shared" || depart(this.state.block);
    this.#keeper.released(this, isLast);
  }

  ticket(readers: number): BinaryTicket {
    this.#check();
    if (this.state.kind === "packed") this.#keeper.restore(this, this.state.packed);
    this.#keeper.touched(this);
    const { state, byteLength } = this;
    if (state.kind !== "shared") throw releasedError("the pool is closed");
    announce(state.block, readers);
    const { block, generation } = state;
    return { block, departures: this.#keeper.departures, generation, byteLength };
  }

  #check(): void {
    if (this.state.kind === "closed") throw releasedError("the pool is closed");
    if (this.state.kind !== "evicted") return;
    const text = "the pool gave the binary up to stay within its budget";
    throw new FoundationError("binary_evicted", text, { context: { bytes: this.byteLength } });
  }
}
