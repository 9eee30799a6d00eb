import { Builder, ByteBuffer } from "flatbuffers";
import { Packr, Unpackr } from "msgpackr";
import { FoundationError } from "../base/errors.ts";

/** Numbers of the encodings, as the wire has them. */
export const ENCODING = Object.freeze({
  bytes: 0,
  flatBuffers: 1,
  messagePack: 2,
  nothing: 3,
  error: 4,
  bytesBundle: 5,
  messagePackBundle: 6,
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

// Records are described inside each message: a message can be read on its own, whoever wrote it.
const OPTIONS = { useRecords: true, moreTypes: true, copyBuffers: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/**
 * An encoded value: where its bytes are and which encoding they have. Reused: read it before the
 * next call.
 */
export interface Encoded {
  bytes: Uint8Array;
  encoding: number;
}

const NOTHING = new Uint8Array(0);
const encoded: Encoded = { bytes: NOTHING, encoding: ENCODING.nothing };

/**
 * Encodes a message: bytes and FlatBuffers tables pass as they are, anything else becomes msgpack.
 * The bytes are valid until the next call; a value's own bytes are not copied.
 *
 * @throws FoundationError `unencodable` for functions, symbols and what msgpack refuses
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
    encoded.bytes = pack(value);
    encoded.encoding = ENCODING.messagePack;
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

function pack(value: unknown): Uint8Array {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new FoundationError("unencodable", `a ${typeof value} cannot be sent`);
  }
  try {
    return packr.pack(value);
  } catch (cause) {
    throw refusal("unencodable", "the message cannot be encoded", cause);
  }
}

/**
 * Decodes msgpack from memory that nobody else writes. Prototypes are out of reach: a `__proto__`
 * key arrives under another name.
 *
 * @throws FoundationError `undecodable` for bytes that are not one whole value
 */
export function decodeMessagePack(bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  try {
    return unpackr.unpack(bytes as Buffer, { start, end });
  } catch (cause) {
    throw refusal("undecodable", "the message is not valid msgpack", cause);
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
    case ENCODING.messagePack:
    case ENCODING.error:
      return decodeMessagePack(bytes);
    default:
      throw new FoundationError("undecodable", `encoding ${encoding} is not known to this version`);
  }
}
