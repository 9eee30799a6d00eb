import type { Arena } from "./arena.ts";
import { core } from "./native.ts";

/**
 * From here on a call of the core beats V8's copy, which goes word by word on shared memory: 120 ns
 * a call against 35 ns a KiB (`npm run bench -- boundary`). Unit: bytes.
 */
const NATIVE_BYTES_MIN = 4 << 10;
/** The same for memory that is not aligned alike, which V8 copies byte by byte. Unit: bytes. */
const NATIVE_UNALIGNED_BYTES_MIN = 512;

/** Copies the first `length` bytes of `source` to where a ring or slab has room for them. */
export function copyIn(arena: Arena, source: Uint8Array, length: number, start: number): void {
  if (
    length >= NATIVE_BYTES_MIN ||
    (length >= NATIVE_UNALIGNED_BYTES_MIN && ((source.byteOffset ^ start) & 7) !== 0)
  ) {
    core.copyIn(source, length, start);
  } else if (length > 0) {
    arena.u8.set(length === source.length ? source : source.subarray(0, length), start);
  }
}

/** Fills private memory with what lies at `start`. */
export function copyOut(arena: Arena, target: Uint8Array, start: number): void {
  const { length } = target;
  if (length >= NATIVE_BYTES_MIN) core.copyOut(target, start);
  else if (length > 0) target.set(arena.u8.subarray(start, start + length));
}
