import { FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";
import { announce, arrive, COUNT_BYTES, depart } from "./reader-count.ts";

/**
 * What opens a shared binary in an isolate of the process. It is plain data: post it to a worker as
 * it is, or inside of a message.
 */
export interface BinaryTicket {
  /** The bytes, behind the count of their readers. */
  readonly block: SharedArrayBuffer;
  /** Where the pool learns that a last reader left elsewhere. */
  readonly departures: SharedArrayBuffer;
  /** Which use of the block is meant. */
  readonly generation: number;
  readonly byteLength: number;
}

/** Who keeps the bytes of the handles of one isolate. */
export interface BinaryHolder {
  readonly byteLength: number;
  bytes(): Uint8Array;
  retain(): void;
  release(): void;
  ticket(readers: number): BinaryTicket;
}

/**
 * A reader of bytes in shared memory. The bytes live until the last reader has released them, in
 * whatever isolate, and never go by time.
 */
export class SharedBinary {
  /** Length of the bytes. */
  readonly byteLength: number;
  readonly #holder: BinaryHolder;
  #isReleased = false;

  /** Takes a reference over; use `SharedBinaries.put` or {@link openSharedBinary}. */
  constructor(holder: BinaryHolder) {
    this.#holder = holder;
    this.byteLength = holder.byteLength;
  }

  /** Whether this reader has released it. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /**
   * The bytes, without a copy unless the pool had compressed them. All readers see the same memory:
   * nobody writes to it. They mean nothing after {@link release}, when the memory is used again.
   *
   * @throws FoundationError `binary_released`, `binary_evicted`
   */
  bytes(): Uint8Array {
    return this.#held().bytes();
  }

  /**
   * Another reader in this isolate.
   *
   * @throws FoundationError `binary_released`, `binary_evicted`
   */
  retain(): SharedBinary {
    const holder = this.#held();
    holder.retain();
    return new SharedBinary(holder);
  }

  /**
   * A ticket for readers in other isolates. They count from now on: each has to open it with
   * {@link openSharedBinary} and release it. One more is turned away.
   *
   * @throws FoundationError `binary_released`, `binary_evicted`, `binary_crowded`,
   *   `invalid_options`; `binaries_full` where it was compressed and there is no room
   */
  ticket(readers = 1): BinaryTicket {
    checkCount("readers", readers);
    return this.#held().ticket(readers);
  }

  /**
   * This reader needs it no more.
   *
   * @throws FoundationError `binary_released` where it had released it before
   */
  release(): void {
    const holder = this.#held();
    this.#isReleased = true;
    holder.release();
  }

  #held(): BinaryHolder {
    if (this.#isReleased) throw releasedError("this reader has released the binary");
    return this.#holder;
  }
}

/**
 * Opens a shared binary in any isolate of the process, once for each reader that the ticket was
 * made for.
 *
 * @throws FoundationError `binary_released` where all of them have come, or the binary is gone
 */
export function openSharedBinary(ticket: BinaryTicket): SharedBinary {
  if (!arrive(ticket.block, ticket.generation)) {
    throw releasedError("the ticket has been used up, or the binary is gone");
  }
  return new SharedBinary(new OpenedBinary(ticket));
}

/** The error of who uses a binary that it does not hold. */
export function releasedError(text: string): FoundationError {
  return new FoundationError("binary_released", text);
}

/** A view of the bytes of a block. */
export function bytesOf(block: SharedArrayBuffer, byteLength: number): Uint8Array {
  return new Uint8Array(block, COUNT_BYTES, byteLength);
}

/** A binary that came by a ticket: its handles here are one reader together. */
class OpenedBinary implements BinaryHolder {
  readonly #ticket: BinaryTicket;
  #handles = 1;

  constructor(ticket: BinaryTicket) {
    this.#ticket = ticket;
  }

  get byteLength(): number {
    return this.#ticket.byteLength;
  }

  bytes(): Uint8Array {
    return bytesOf(this.#ticket.block, this.#ticket.byteLength);
  }

  retain(): void {
    this.#handles++;
  }

  release(): void {
    if (--this.#handles > 0 || !depart(this.#ticket.block)) return;
    Atomics.add(new Int32Array(this.#ticket.departures), 0, 1);
  }

  ticket(readers: number): BinaryTicket {
    announce(this.#ticket.block, readers);
    return this.#ticket;
  }
}
