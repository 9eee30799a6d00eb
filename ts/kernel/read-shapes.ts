import {
  GENERATED_KEYS_MAX,
  generate,
  SHAPE_BYTES_MAX,
  SHAPE_KEYS_MAX,
  SHAPES_MAX,
} from "./value-format.ts";

/** Shapes that are remembered, of all senders. Unit: shapes. */
const REMEMBERED_MAX = 1024;
/** Key bytes of them. Unit: bytes. */
const REMEMBERED_BYTES_MAX = 1 << 20;
/**
 * Objects of a shape that are read before code is generated for it: what a stranger describes once
 * or twice must not cost the compiler.
 */
const GENERATED_AFTER = 64;

/** Reads the next value of the message under way. */
export type ReadNext = () => unknown;

/** A shape of a sender, and how its objects are read. */
export class ReadShape {
  /** The keys as they were described. */
  readonly bytes: Uint8Array;
  /** Values of an object. */
  readonly size: number;
  readonly #keys: readonly string[];
  readonly #readNext: ReadNext;
  #readObject: ReadNext | undefined;
  #count = 0;

  constructor(bytes: Uint8Array, keys: readonly string[], readNext: ReadNext) {
    this.bytes = bytes;
    this.size = keys.length;
    this.#keys = keys;
    this.#readNext = readNext;
  }

  /** Reads an object's values and makes the object. */
  read(): unknown {
    if (this.#readObject !== undefined) return this.#readObject();
    if (++this.#count === GENERATED_AFTER && this.#keys.length <= GENERATED_KEYS_MAX) {
      this.#readObject = generateReader(this.#keys, this.#readNext);
    }
    const object: Record<string, unknown> = {};
    for (const key of this.#keys) object[key] = this.#readNext();
    return object;
  }
}

function generateReader(keys: readonly string[], readNext: ReadNext): ReadNext | undefined {
  const fields = keys.map((key) => `${JSON.stringify(key)}:read()`);
  return generate<ReadNext>(["read"], `return function(){return{${fields.join(",")}}}`, readNext);
}

/** The shapes that senders described, found by their bytes: no agreement, nothing to get lost. */
export class ReadShapes {
  readonly #readNext: ReadNext;
  /** By key bytes, the one that was needed longest ago first. */
  readonly #byBytes = new Map<string, ReadShape>();
  /** The last one under each number: most messages come from one sender after another. */
  readonly #recent: (ReadShape | undefined)[] = new Array(SHAPES_MAX).fill(undefined);
  #bytes = 0;

  constructor(readNext: ReadNext) {
    this.#readNext = readNext;
  }

  /** Shapes that are remembered. */
  get size(): number {
    return this.#byBytes.size;
  }

  /** Their key bytes. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The shape that a description's key bytes mean; `undefined` where they are malformed. */
  find(source: Buffer, start: number, length: number, id: number): ReadShape | undefined {
    const recent = this.#recent[id];
    if (recent !== undefined && isSame(recent.bytes, source, start, length)) return recent;
    if (length > SHAPE_BYTES_MAX) return undefined;
    const name = source.toString("latin1", start, start + length);
    let shape = this.#byBytes.get(name);
    if (shape === undefined) {
      shape = this.#make(source, start, length);
      if (shape === undefined) return undefined;
      this.#bytes += length;
      this.#forgetOldest();
    } else {
      this.#byBytes.delete(name);
    }
    this.#byBytes.set(name, shape);
    this.#recent[id] = shape;
    return shape;
  }

  #make(source: Buffer, start: number, length: number): ReadShape | undefined {
    const keys = parseKeys(source, start, length);
    if (keys === undefined) return undefined;
    const bytes = new Uint8Array(length);
    bytes.set(source.subarray(start, start + length));
    return new ReadShape(bytes, keys, this.#readNext);
  }

  #forgetOldest(): void {
    for (const [name, shape] of this.#byBytes) {
      if (this.#byBytes.size < REMEMBERED_MAX && this.#bytes <= REMEMBERED_BYTES_MAX) return;
      this.#byBytes.delete(name);
      this.#bytes -= shape.bytes.length;
    }
  }
}

function isSame(bytes: Uint8Array, source: Uint8Array, start: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[index] !== source[start + index]) return false;
  }
  return true;
}

/** Keys of a description: each a length and its bytes. No prototype is within their reach. */
function parseKeys(source: Buffer, start: number, length: number): string[] | undefined {
  const end = start + length;
  const keys: string[] = [];
  let at = start;
  while (at < end) {
    const stop = at + 1 + (source[at] as number);
    if (stop > end || keys.length === SHAPE_KEYS_MAX) return undefined;
    const key = source.toString("utf8", at + 1, stop);
    keys.push(key === "__proto__" ? "__proto_" : key);
    at = stop;
  }
  return keys.length === 0 ? undefined : keys;
}
