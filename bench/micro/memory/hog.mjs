/** Keeps more and more memory outside of its heap, as fast as it can, and never looks up. */

const BLOCK_BYTES = 256 * 1024;

/** A handler: begins when it gets a message, and does not return. */
export function hog() {
  for (const kept = []; ; ) kept.push(Buffer.alloc(BLOCK_BYTES, kept.length & 0xff));
}
