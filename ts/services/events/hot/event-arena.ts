import type { WrittenValue } from "../../../kernel/value-writer.ts";
import { eventBound, putEvent } from "../event-codec.ts";
import { type BodyMemory, bodyMemory } from "../event-format.ts";
import type { FoundationEvent } from "../event-types.ts";

/**
 * Memory is taken in such pieces: the value reader keeps its view of one that is no larger.
 * Unit: bytes.
 */
const CHUNK_BYTES = 64 << 10;
/** A larger event gets a piece of its own, so that little of a chunk is ever left over. */
const ALONE_BYTES_MIN = CHUNK_BYTES >> 2;
/** Empty chunks that are kept for the next events. */
const SPARE_MAX = 16;

interface Chunk {
  readonly memory: BodyMemory;
  /** Events in it that are alive. */
  events: number;
}

/**
 * The bytes of events, outside of the heap. They are written one behind the other; a chunk is free
 * again when the last of its events is gone.
 */
export class EventArena {
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #spare: BodyMemory[] = [];
  #open = -1;
  #end = CHUNK_BYTES;
  #bytes = 0;
  #used = 0;
  /** Where the last event was put. */
  chunk = 0;
  start = 0;
  length = 0;

  /** Memory that events lie in. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same with what is kept for the next events. Unit: bytes. */
  get heldBytes(): number {
    return this.#bytes + this.#spare.length * CHUNK_BYTES;
  }

  /** What the events that are alive take of it. Unit: bytes. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Puts an event's bytes somewhere: {@link chunk}, {@link start} and {@link length} say where. */
  put(event: FoundationEvent, data: WrittenValue): void {
    const bound = eventBound(event, data);
    if (bound >= ALONE_BYTES_MIN) {
      this.chunk = this.#add(memoryOf(bound));
      this.start = 0;
    } else {
      if (this.#end + bound > CHUNK_BYTES) this.#openAnother();
      this.chunk = this.#open;
      this.start = this.#end;
    }
    const chunk = this.#chunks[this.chunk] as Chunk;
    const end = putEvent(event, data, chunk.memory, this.start);
    chunk.events += 1;
    if (this.chunk === this.#open) this.#end = end;
    this.length = end - this.start;
    this.#used += this.length;
  }

  /** The memory that a chunk's events lie in. */
  memory(chunk: number): BodyMemory {
    return (this.#chunks[chunk] as Chunk).memory;
  }

  /** An event of a chunk is gone. */
  free(number: number, length: number): void {
    const chunk = this.#chunks[number] as Chunk;
    chunk.events -= 1;
    this.#used -= length;
    if (chunk.events > 0) return;
    if (number === this.#open) this.#end = 0;
    else this.#drop(number, chunk);
  }

  #openAnother(): void {
    const before = this.#open;
    this.#open = this.#add(this.#spare.pop() ?? memoryOf(CHUNK_BYTES));
    this.#end = 0;
    const chunk = this.#chunks[before];
    if (chunk?.events === 0) this.#drop(before, chunk);
  }

  #add(memory: BodyMemory): number {
    const number = this.#freeNumbers.pop() ?? this.#chunks.length;
    this.#chunks[number] = { memory, events: 0 };
    this.#bytes += memory.bytes.length;
    return number;
  }

  #drop(number: number, { memory }: Chunk): void {
    this.#chunks[number] = undefined;
    this.#freeNumbers.push(number);
    this.#bytes -= memory.bytes.length;
    const isSpare = memory.bytes.length === CHUNK_BYTES && this.#spare.length < SPARE_MAX;
    if (isSpare) this.#spare.push(memory);
  }
}

function memoryOf(bytes: number): BodyMemory {
  return bodyMemory(Buffer.allocUnsafeSlow(bytes));
}
