import { Builder, ByteBuffer } from "flatbuffers";
import { FoundationError } from "../base/errors.ts";
import { type DescribedShapes, readValue } from "./value-reader.ts";
import { type WrittenValue, wholeBytes, wholeLength, writeValue } from "./value-writer.ts";

/** Numbers of the encodings, as the wire has them. */
export const ENCODING = Object.freeze({
  bytes: 0,
  flatBuffers: 1,
  packed: 2,
  nothing: 3,
  error: 4,
  bytesBundle: 5,
  packedBundle: 6,
});

/** A finished FlatBuffers table that travels as it is and is read in place. */
export class FlatTable {
  /** The table's bytes, as `Builder.asUint8Array()` gives them. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Reads the table with a generated `getRootAs...` function, without decoding it first. */
  read<T>(getRoot: (buffer: ByteBuffer) => T): T {
    return getRoot(new ByteBuffer(this.bytes));
  }
}

const NOTHING = new Uint8Array(0);

/** An encoded value: its bytes and which encoding they have. */
export class Encoded {
  encoding: number;
  /** A value in the value format, as it was written; its descriptions are apart. */
  packed: WrittenValue | undefined;
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array, encoding: number) {
    this.#bytes = bytes;
    this.encoding = encoding;
  }

  /** What can be read on its own. */
  get bytes(): Uint8Array {
    return this.packed === undefined ? this.#bytes : wholeBytes(this.packed);
  }

  /** Of {@link bytes}. Unit: bytes. */
  get length(): number {
    return this.packed === undefined ? this.#bytes.length : wholeLength(this.packed);
  }

  set bytes(bytes: Uint8Array) {
    this.packed = undefined;
    this.#bytes = bytes;
  }
}

const encoded = new Encoded(NOTHING, ENCODING.nothing);

/**
 * Encodes a message: bytes and FlatBuffers tables pass as they are, anything else is written in
 * the value format (docs/protocol.md).
 * The answer is one object, valid until the next call; a value's own bytes are not copied.
 *
 * @throws FoundationError `unencodable` for functions, symbols and what cannot be said in it
 */
export function encodeValue(value: unknown): Encoded {
  if (value instanceof Uint8Array) {
    encoded.bytes = value;
    encoded.encoding = ENCODING.bytes;
  } else if (value === undefined) {
    encoded.bytes = NOTHING;
    encoded.encoding = ENCODING.nothing;
  } else if (value instanceof FlatTable || value instanceof Builder) {
    encoded.bytes = value instanceof Builder ? value.asUint8Array() : value.bytes;
    encoded.encoding = ENCODING.flatBuffers;
  } else {
    encoded.packed = pack(value);
    encoded.encoding = ENCODING.packed;
  }
  return encoded;
}

function refusal(
  code: "unencodable" | "undecodable",
  message: string,
  cause: unknown,
): FoundationError {
  return new FoundationError(code, message, { cause });
}

function pack(value: unknown): WrittenValue {
  try {
    return writeValue(value);
  } catch (cause) {
    throw refusal("unencodable", "the message cannot be encoded", cause);
  }
}

/**
 * Decodes a value from memory that nobody else writes. Prototypes are out of reach: a `__proto__`
 * key arrives under another name. `shapes` holds what earlier values of a bundle described.
 *
 * @throws FoundationError `undecodable` for bytes that are not one whole value
 */
export function decodePacked(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  shapes?: DescribedShapes,
): unknown {
  try {
    return readValue(bytes, start, end, shapes);
  } catch (cause) {
    if (cause instanceof FoundationError) throw cause;
    throw refusal("undecodable", "the message is not a valid value", cause);
  }
}

/** Decodes what {@link encodeValue} made, for tests and benches. */
export function decodeValue(bytes: Uint8Array, encoding: number): unknown {
  switch (encoding) {
    case ENCODING.bytes:
      return bytes;
    case ENCODING.flatBuffers:
      return new FlatTable(bytes);
    case ENCODING.nothing:
      return undefined;
    case ENCODING.packed:
    case ENCODING.error:
      return decodePacked(bytes);
    default:
      throw new FoundationError("undecodable", `encoding ${encoding} is not known to this version`);
  }
}
