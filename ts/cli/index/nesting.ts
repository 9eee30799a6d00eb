const OPENING = new Set(["(", "[", "{"].map((bracket) => bracket.charCodeAt(0)));
const CLOSING = new Set([")", "]", "}"].map((bracket) => bracket.charCodeAt(0)));

/** For each byte value: 1 opens a bracket, -1 closes one, 0 does neither. */
const STEP = Int8Array.from({ length: 256 }, (_, byte) => {
  if (OPENING.has(byte)) return 1;
  return CLOSING.has(byte) ? -1 : 0;
});

/**
 * Deepest nesting of brackets in a source. Brackets inside strings and comments count as well,
 * so the figure is an estimate for refusing absurd input, and never a syntax fact.
 */
export function bracketDepthMax(content: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  for (const byte of content) {
    depth = Math.max(0, depth + (STEP[byte] ?? 0));
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}
