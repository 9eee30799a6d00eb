import type { Writable } from "node:stream";
import type { WaitOptions } from "./deadline.ts";
import { FoundationError } from "./errors.ts";
import { writeVectored } from "./vectored-write.ts";

/** What an io-list is made of: text (UTF-8), bytes, other io-lists, and lists of these. */
export type IoPart = string | Uint8Array | IoList | readonly IoPart[];

/** Lists in lists; one that holds itself would have no end. */
const DEPTH_MAX = 1_000;

/**
 * Bytes in parts that are written one behind the other and never joined. Bytes are held as they
 * are, not copied: do not change them before they were written. Text is encoded once.
 */
export class IoList {
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;

  /** Length of all parts together. Unit: bytes. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** The parts in order, without empty ones; the very arrays that were appended. */
  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }

  /**
   * Adds text, bytes, or what lists hold now, behind the others; all of it or nothing.
   *
   * @throws FoundationError `invalid_options` for anything else, and for lists in more than 1,000
   *   others
   */
  append(part: IoPart): this {
    const parts: Uint8Array[] = [];
    collect(part, parts, 0);
    for (const each of parts) {
      this.#parts.push(each);
      this.#byteLength += each.byteLength;
    }
    return this;
  }

  /**
   * Writes all parts, each at most 1,024 of them or 1 MiB as one vectored write; the next one
   * begins when the stream has taken the one before. Resolves when it has taken the last. A socket
   * takes them without joining them; a stream without `writev` gets them one by one.
   *
   * @throws FoundationError `aborted`, `timeout`: nothing further is written, what was under way
   *   still may be; `write_failed` with the stream's error as `cause`
   */
  async writeTo(stream: Writable, options: WaitOptions = {}): Promise<void> {
    return writeVectored(stream, [...this.#parts], options);
  }

  /** All parts joined, in memory of their own: the one way that copies them. */
  toBuffer(): Buffer {
    return Buffer.concat(this.#parts, this.#byteLength);
  }
}

/** A new io-list of these parts; see {@link IoList.append}. */
export function ioList(...parts: readonly IoPart[]): IoList {
  return new IoList().append(parts);
}

function collect(part: IoPart, into: Uint8Array[], depth: number): void {
  if (typeof part === "string") {
    if (part.length > 0) into.push(Buffer.from(part));
  } else if (part instanceof Uint8Array) {
    if (part.byteLength > 0) into.push(part);
  } else if (part instanceof IoList) {
    for (const each of part.parts) into.push(each);
  } else if (Array.isArray(part)) {
    if (depth === DEPTH_MAX) refuse(`holds lists in more than ${DEPTH_MAX} others`);
    for (const each of part as readonly IoPart[]) collect(each, into, depth + 1);
  } else {
    refuse(`holds text, bytes and lists of these, not ${part === null ? "null" : typeof part}`);
  }
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", `an io-list ${text}`);
}
