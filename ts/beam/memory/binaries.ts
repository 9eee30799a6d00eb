import { constants, deflateSync, inflateSync } from "node:zlib";
import { checkKeys, checkKind, checkWord } from "../../base/option-checks.ts";

/** How bytes are to be kept. */
export type BinaryStrategy = "automatic" | "sharing" | "storage";

const STRATEGIES: readonly BinaryStrategy[] = ["automatic", "sharing", "storage"];

/** How bytes are optimised. Defaults: {@link BINARY_DEFAULTS}. */
export interface BinaryOptions {
  /**
   * `sharing`: shared memory, whatever their size. `storage`: compressed where that makes them
   * smaller by a tenth. `automatic`: below 64 bytes as they are, below 65,536 shared, else
   * compressed, or shared where that gains too little.
   */
  readonly strategy?: BinaryStrategy;
}

/** How bytes are optimised unless the options say otherwise. */
export const BINARY_DEFAULTS: Required<BinaryOptions> = Object.freeze({
  strategy: "automatic", // the sizes decide
});

/** Below this a buffer of its own costs more than the bytes. Unit: bytes. */
const SHARED_BYTES_MIN = 64;

/** From here on a compressor is worth its time. Unit: bytes. */
const STORED_BYTES_MIN = 65_536;

/** Compressed bytes have to be fewer than this share of the original. Unit: ratio. */
const STORED_RATIO = 0.9;

/** Where bytes are: as they came, in shared memory, or compressed on the heap. */
export type BinaryPlace = "heap" | "shared" | "storage";

/** Bytes that were optimised, and what that took. */
export interface OptimizedBinary {
  readonly place: BinaryPlace;
  /** What is kept now: the bytes themselves, or compressed ones where `place` is `storage`. */
  readonly kept: Uint8Array;
  /** Length of the bytes that were given. */
  readonly originalBytes: number;
  /** `kept` and `originalBytes` side by side. 1 where nothing was compressed. Unit: ratio. */
  readonly storedRatio: number;
  /** How often bytes were written to another place, what a compressor wrote included. */
  readonly copies: number;
  /** How many bytes that were. */
  readonly copiedBytes: number;
  /** The bytes again: the very ones where they were not compressed, else a fresh copy. */
  toBytes(): Uint8Array;
}

/**
 * Keeps bytes where they cost least. Compressing runs in the caller's turn of the event loop.
 * Bytes that stay on the heap are not copied: `kept` is what was given.
 *
 * @throws FoundationError `invalid_options`
 */
export function optimizeBinary(bytes: Uint8Array, options: BinaryOptions = {}): OptimizedBinary {
  checkKind("bytes", bytes instanceof Uint8Array, "a Uint8Array");
  checkKeys("the options of optimizeBinary", options, Object.keys(BINARY_DEFAULTS));
  const { strategy } = { ...BINARY_DEFAULTS, ...options };
  checkWord("strategy", strategy, STRATEGIES);
  const { byteLength } = bytes;
  if (strategy === "sharing") return share(bytes);
  if (strategy === "storage") return store(bytes) ?? keep(bytes);
  if (byteLength < SHARED_BYTES_MIN) return keep(bytes);
  if (byteLength < STORED_BYTES_MIN) return share(bytes);
  return store(bytes) ?? share(bytes);
}

/** Compressed bytes in memory of their own; undefined where that gains less than a tenth. */
export function compress(bytes: Uint8Array): Uint8Array | undefined {
  const packed = deflateSync(bytes, { level: constants.Z_BEST_SPEED });
  if (packed.byteLength >= STORED_RATIO * bytes.byteLength) return undefined;
  // zlib answers a part of a block, which all of it would stay for.
  return packed.byteLength === packed.buffer.byteLength ? plain(packed) : Uint8Array.from(packed);
}

/** The bytes again that `compress` was given. */
export function decompress(packed: Uint8Array): Uint8Array {
  return plain(inflateSync(packed));
}

/** The bytes in shared memory: the very ones where they are there already, else a copy. */
export function toShared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

/** The same memory without Node's own methods, as all other bytes here are. */
function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function keep(bytes: Uint8Array): OptimizedBinary {
  return described("heap", bytes, bytes.byteLength, 0, () => bytes);
}

function share(bytes: Uint8Array): OptimizedBinary {
  const shared = toShared(bytes);
  return described("shared", shared, bytes.byteLength, shared === bytes ? 0 : 1, () => shared);
}

function store(bytes: Uint8Array): OptimizedBinary | undefined {
  const packed = compress(bytes);
  if (packed === undefined) return undefined;
  return described("storage", packed, bytes.byteLength, 1, () => decompress(packed));
}

function described(
  place: BinaryPlace,
  kept: Uint8Array,
  originalBytes: number,
  copies: number,
  toBytes: () => Uint8Array,
): OptimizedBinary {
  const storedRatio = originalBytes === 0 ? 1 : kept.byteLength / originalBytes;
  const copiedBytes = copies * kept.byteLength;
  return Object.freeze({ place, kept, originalBytes, storedRatio, copies, copiedBytes, toBytes });
}
