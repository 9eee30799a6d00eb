const ofCodes = String.fromCharCode;

/** Longest text that {@link readShortText} reads. Unit: bytes. */
export const SHORT_TEXT_MAX = 15;

/**
 * A short ASCII text without a native call; `undefined` for any other. Written out, since a call
 * with the codes as arguments is three times as fast as a native copy or a loop of concatenations.
 */
export function readShortText(s: Uint8Array, at: number, length: number): string | undefined {
  let all = 0;
  for (let index = 0; index < length; index++) all |= s[at + index]!;
  if (all >= 0x80) return undefined;
  if (length >= 8) return readHalf(s, at, length);
  const a = s[at]!;
  const b = s[at + 1]!;
  const c = s[at + 2]!;
  const d = s[at + 3]!;
  switch (length) {
    case 0:
      return "";
    case 1:
      return ofCodes(a);
    case 2:
      return ofCodes(a, b);
    case 3:
      return ofCodes(a, b, c);
    case 4:
      return ofCodes(a, b, c, d);
    case 5:
      return ofCodes(a, b, c, d, s[at + 4]!);
    case 6:
      return ofCodes(a, b, c, d, s[at + 4]!, s[at + 5]!);
    default:
      return ofCodes(a, b, c, d, s[at + 4]!, s[at + 5]!, s[at + 6]!);
  }
}

/** The longer half: 8 to 15 codes. */
function readHalf(s: Uint8Array, at: number, length: number): string | undefined {
  const a = s[at]!;
  const b = s[at + 1]!;
  const c = s[at + 2]!;
  const d = s[at + 3]!;
  const e = s[at + 4]!;
  const f = s[at + 5]!;
  const g = s[at + 6]!;
  const h = s[at + 7]!;
  const i = s[at + 8]!;
  const j = s[at + 9]!;
  const k = s[at + 10]!;
  const l = s[at + 11]!;
  switch (length) {
    case 8:
      return ofCodes(a, b, c, d, e, f, g, h);
    case 9:
      return ofCodes(a, b, c, d, e, f, g, h, i);
    case 10:
      return ofCodes(a, b, c, d, e, f, g, h, i, j);
    case 11:
      return ofCodes(a, b, c, d, e, f, g, h, i, j, k);
    case 12:
      return ofCodes(a, b, c, d, e, f, g, h, i, j, k, l);
    case 13:
      return ofCodes(a, b, c, d, e, f, g, h, i, j, k, l, s[at + 12]!);
    case 14:
      return ofCodes(a, b, c, d, e, f, g, h, i, j, k, l, s[at + 12]!, s[at + 13]!);
    case 15:
      return ofCodes(a, b, c, d, e, f, g, h, i, j, k, l, s[at + 12]!, s[at + 13]!, s[at + 14]!);
    default:
      return undefined;
  }
}
