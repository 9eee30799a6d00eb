/** The marks of Erlang's external term format that a heartbeat of libcluster is made of. */
const VERSION = 131;
const MAP = 116;
const ATOM = 100;
const SMALL_ATOM = 115;
const ATOM_UTF8 = 118;
const SMALL_ATOM_UTF8 = 119;
/** An atom has at most 255 characters. Unit: bytes of UTF-8. */
const ATOM_BYTES_MAX = 255 * 4;

/** `term_to_binary(#{node => Name})` as OTP 26 and later write it. */
export function encodeHeartbeat(name: string): Buffer {
  const head = Buffer.from([VERSION, MAP, 0, 0, 0, 1]);
  return Buffer.concat([head, encodeAtom("node"), encodeAtom(name)]);
}

function encodeAtom(text: string): Buffer {
  const bytes = Buffer.from(text);
  const { length } = bytes;
  const head = length <= 255 ? [SMALL_ATOM_UTF8, length] : [ATOM_UTF8, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), bytes]);
}

/**
 * The name in a heartbeat; undefined for every other term. A whitelist: one map of one pair of
 * atoms, the first of which is `node`, and nothing behind it.
 */
export function decodeHeartbeat(bytes: Buffer): string | undefined {
  if (bytes.length < 6 || bytes[0] !== VERSION || bytes[1] !== MAP) return undefined;
  if (bytes.readUInt32BE(2) !== 1) return undefined;
  const key = decodeAtom(bytes, 6);
  if (key?.text !== "node") return undefined;
  const value = decodeAtom(bytes, key.end);
  return value?.end === bytes.length ? value.text : undefined;
}

function decodeAtom(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const mark = bytes[at];
  const isSmall = mark === SMALL_ATOM || mark === SMALL_ATOM_UTF8;
  if (!isSmall && mark !== ATOM && mark !== ATOM_UTF8) return undefined;
  const start = at + (isSmall ? 2 : 3);
  if (start > bytes.length) return undefined;
  const length = isSmall ? bytes.readUInt8(at + 1) : bytes.readUInt16BE(at + 1);
  const end = start + length;
  if (length > ATOM_BYTES_MAX || end > bytes.length) return undefined;
  const isUtf8 = mark === ATOM_UTF8 || mark === SMALL_ATOM_UTF8;
  const text = decodeText(bytes.subarray(start, end), isUtf8);
  return text === undefined ? undefined : { text, end };
}

function decodeText(bytes: Buffer, isUtf8: boolean): string | undefined {
  if (!isUtf8) return bytes.toString("latin1");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
