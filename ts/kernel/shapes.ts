import {
  DESCRIPTION_HEAD_BYTES,
  GENERATED_KEYS_MAX,
  generate,
  KEY_BYTES_MAX,
  MARK,
  SHAPE_BYTES_MAX,
  SHAPE_KEYS_MAX,
  SHAPES_MAX,
} from "./value-format.ts";

/** Writes one value at a position and answers the position behind it. */
export type WriteAt = (value: unknown, at: number) => number;
/** Writes all values of an object of one shape. */
export type WriteFields = (object: Record<string, unknown>, at: number) => number;

/** Objects of a shape that are written before code is generated for it. */
const GENERATED_AFTER = 16;
/** Key lists that were seen once are remembered here by hash, and admitted when seen again. */
const PROBATION_SLOTS = 1024;
const NO_KEYS: readonly string[] = [];

/** A list of keys, in order, that objects of this isolate have. */
export class Shape {
  /** Own enumerable keys. Empty once the shape has lost its number: then it fits no object. */
  keys: readonly string[];
  /** Its number in messages; another shape may get it when this one has lost it. */
  readonly id: number;
  /** The description as it goes in front of a value. */
  readonly description: Uint8Array;
  /** The last message that had such an object, by number. */
  usedBy = 0;
  /** Which shapes came after this one the last times: the first guesses for the next object. */
  next: Shape = this;
  other: Shape = this;
  #writeFields: WriteFields | undefined;
  #written = 0;

  constructor(keys: readonly string[], id: number, description: Uint8Array) {
    this.keys = keys;
    this.id = id;
    this.description = description;
  }

  /** Whether an object has exactly these own keys, in this order. */
  fits(object: object): boolean {
    const keys = this.keys;
    let index = 0;
    for (const key in object) {
      if (keys[index] !== key) return false;
      index++;
    }
    // Inherited keys come last: where the last one is the object's own, all are.
    return index > 0 && index === keys.length && Object.hasOwn(object, keys[index - 1] as string);
  }

  /** Writes the values of an object that fits. */
  write(object: Record<string, unknown>, at: number, write: WriteAt): number {
    if (this.#writeFields !== undefined) return this.#writeFields(object, at);
    if (++this.#written === GENERATED_AFTER && this.keys.length <= GENERATED_KEYS_MAX) {
      this.#writeFields = generateWriter(this.keys, write);
    }
    let end = at;
    for (const key of this.keys) end = write(object[key], end);
    return end;
  }

  /** The shape has lost its number. Nothing may be kept alive through it. */
  retire(root: Shape): void {
    this.keys = NO_KEYS;
    this.next = root;
    this.other = root;
    this.#writeFields = undefined;
  }
}

function generateWriter(keys: readonly string[], write: WriteAt): WriteFields | undefined {
  const fields = keys.map((key) => `at=write(object[${JSON.stringify(key)}],at);`);
  const body = `return function(object,at){${fields.join("")}return at}`;
  return generate<WriteFields>(["write"], body, write);
}

/**
 * The shapes of an isolate's messages. A key list gets a number when it is met for the second time;
 * the oldest number is taken over when all are given. Bounded in shapes and bytes, and objects that
 * are maps, with ever new keys, cost one look each.
 */
export class Shapes {
  readonly #byId: Shape[] = [];
  readonly #byLastKey = new Map<string, Shape[]>();
  readonly #probation = new Uint32Array(PROBATION_SLOTS);
  readonly #root = new Shape(NO_KEYS, 0, new Uint8Array(0));
  #last = this.#root;
  #oldest = 0;

  /** Shapes that have a number. */
  get size(): number {
    return this.#byId.length;
  }

  /** The shape that an object most likely has; `undefined` where it has neither guess. */
  guess(object: object): Shape | undefined {
    const last = this.#last;
    const next = last.next;
    if (next.fits(object)) {
      this.#last = next;
      return next;
    }
    const other = last.other;
    if (!other.fits(object)) return undefined;
    last.other = next;
    last.next = other;
    this.#last = other;
    return other;
  }

  /**
   * The shape of an object with these keys, admitted now if it may be; `undefined` where the object
   * has to carry its keys itself. `message` is the number of the message under way: its shapes keep
   * theirs. No shape is admitted for message 0.
   */
  find(keys: readonly string[], message: number): Shape | undefined {
    const lastKey = keys.at(-1);
    if (lastKey === undefined || keys.length > SHAPE_KEYS_MAX) return undefined;
    const known = this.#byLastKey.get(lastKey)?.find((shape) => isSame(shape.keys, keys));
    const shape = known ?? (message === 0 ? undefined : this.#admit(keys, lastKey, message));
    if (shape === undefined) return undefined;
    this.#last.other = this.#last.next;
    this.#last.next = shape;
    this.#last = shape;
    return shape;
  }

  /** Numbers of messages begin again: no shape was used by one of the new ones. */
  forgetUse(): void {
    for (const shape of this.#byId) shape.usedBy = 0;
  }

  #admit(keys: readonly string[], lastKey: string, message: number): Shape | undefined {
    const hash = hashOf(keys);
    if (hash === 0) return undefined;
    const slot = hash % PROBATION_SLOTS;
    if (this.#probation[slot] !== hash) {
      this.#probation[slot] = hash;
      return undefined;
    }
    const id = this.#freeId(message);
    if (id < 0) return undefined;
    const description = describe(keys, id);
    if (description === undefined) return undefined;
    this.#retire(id);
    const shape = new Shape(keys, id, description);
    this.#byId[id] = shape;
    const sameLast = this.#byLastKey.get(lastKey);
    if (sameLast === undefined) this.#byLastKey.set(lastKey, [shape]);
    else sameLast.push(shape);
    return shape;
  }

  #freeId(message: number): number {
    if (this.#byId.length < SHAPES_MAX) return this.#byId.length;
    const id = this.#oldest;
    if (this.#byId[id]?.usedBy === message) return -1;
    this.#oldest = (id + 1) % SHAPES_MAX;
    return id;
  }

  #retire(id: number): void {
    const shape = this.#byId[id];
    if (shape === undefined) return;
    const lastKey = shape.keys.at(-1) as string;
    const left = (this.#byLastKey.get(lastKey) ?? []).filter((other) => other !== shape);
    if (left.length === 0) this.#byLastKey.delete(lastKey);
    else this.#byLastKey.set(lastKey, left);
    shape.retire(this.#root);
    if (this.#last === shape) this.#last = this.#root;
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index]);
}

/** Hash over all characters; 0 where the keys are too many bytes, or one is no key of a shape. */
function hashOf(keys: readonly string[]): number {
  let hash = 0x811c9dc5;
  let length = 0;
  for (const key of keys) {
    length += key.length + 1;
    if (length > SHAPE_BYTES_MAX || key.length > KEY_BYTES_MAX || key === "__proto__") return 0;
    for (let index = 0; index < key.length; index++) {
      hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  return hash >>> 0 || 1;
}

/** A description's bytes; `undefined` where a key does not fit or would not come back the same. */
function describe(keys: readonly string[], id: number): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const key of keys) {
    const bytes = Buffer.from(key);
    if (bytes.length > KEY_BYTES_MAX || bytes.toString() !== key) return undefined;
    parts.push(Uint8Array.of(bytes.length), bytes);
    length += 1 + bytes.length;
  }
  if (length > SHAPE_BYTES_MAX) return undefined;
  const head = Uint8Array.of(MARK.description, id, length >>> 8, length & 0xff);
  return Uint8Array.from(Buffer.concat([head, ...parts], DESCRIPTION_HEAD_BYTES + length));
}
