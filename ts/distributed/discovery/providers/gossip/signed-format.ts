import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { attempt } from "../../../../base/errors.ts";
import { parseAddress } from "../../../../kernel/options.ts";
import type { Candidate, DiscoveringNode } from "../../provider.ts";
import type { GossipFormat, GossipRefusal } from "./gossip-format.ts";
import { ReplayWindow } from "./replay-window.ts";

/**
 * Magic 4, version 1, time of day in ms 8, nonce 16; then cluster, name and address, each behind
 * its length in 2 bytes; then the code of all that 32. Unit: bytes. Numbers are big-endian.
 */
const MAGIC = Buffer.from("FNDG");
const VERSION = 1;
const STAMP_AT = 5;
const NONCE_AT = 13;
const TEXTS_AT = 29;
const CODE_BYTES = 32;
/** A cluster of 1,024 nodes sends about 25,000 in the minute that they are remembered. */
const REMEMBERED_MAX = 65_536;

/** What a signed heartbeat is made with. */
export interface SignedFormatOptions {
  /** What the nodes share, the one to sign with first: at least one. Unit: bytes each. */
  readonly secrets: readonly Uint8Array[];
  /** Whom heartbeats tell of. */
  readonly self: DiscoveringNode;
  /** How far the clocks of two nodes may be apart. Unit: ms. */
  readonly clockWindowMs: number;
  /** The time of day. Unit: ms since 1970. */
  readonly wallNow: () => number;
  /** Most heartbeats that are remembered. Unit: heartbeats. Default: 65,536. */
  readonly rememberedMax?: number;
}

/**
 * Heartbeats that only who knows a secret can make, each of which counts once. Keys are derived
 * from secrets for this use alone.
 */
export function signedFormat(options: SignedFormatOptions): GossipFormat {
  const { secrets, self, clockWindowMs, wallNow, rememberedMax = REMEMBERED_MAX } = options;
  const [own, ...others] = secrets.map(
    (secret) => new Uint8Array(hkdfSync("sha256", secret, "", "foundation-runtime gossip 1", 32)),
  ) as [Uint8Array, ...Uint8Array[]];
  const isProven = ({ signed, code }: SignedPacket): boolean =>
    [own, ...others].some((key) => timingSafeEqual(codeOf(key, signed), code));
  const window = new ReplayWindow(clockWindowMs, rememberedMax);
  const texts = Buffer.concat([self.cluster, self.name, self.address].map(lengthAndText));
  return {
    seal(): Buffer {
      const head = Buffer.concat([MAGIC, Buffer.from([VERSION]), Buffer.alloc(8), randomBytes(16)]);
      head.writeBigUInt64BE(BigInt(Math.floor(wallNow())), STAMP_AT);
      const bytes = Buffer.concat([head, texts]);
      return Buffer.concat([bytes, codeOf(own, bytes)]);
    },
    open(packet): Candidate | GossipRefusal {
      const read = readPacket(packet);
      if (typeof read === "string") return read;
      if (read.cluster !== self.cluster) return "otherCluster";
      if (!isProven(read)) return "forged";
      const nonce = packet.toString("latin1", NONCE_AT, TEXTS_AT);
      const verdict = window.take(nonce, read.stampMs, wallNow());
      if (verdict !== "fresh") return verdict;
      if (read.name === self.name && read.address === self.address) return "own";
      return isAddress(read.address) ? { address: read.address, name: read.name } : "badHost";
    },
  };
}

function codeOf(key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac("sha256", key).update(bytes).digest();
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

interface SignedPacket {
  readonly stampMs: number;
  readonly cluster: string;
  readonly name: string;
  readonly address: string;
  readonly signed: Buffer;
  readonly code: Buffer;
}

function readPacket(packet: Buffer): SignedPacket | GossipRefusal {
  if (!packet.subarray(0, MAGIC.length).equals(MAGIC)) return "badPacket";
  if (packet[MAGIC.length] !== VERSION) return "otherVersion";
  const end = packet.length - CODE_BYTES;
  const texts: string[] = [];
  let at = TEXTS_AT;
  while (texts.length < 3) {
    if (at + 2 > end) return "badPacket";
    const start = at + 2;
    at = start + packet.readUInt16BE(at);
    if (at > end) return "badPacket";
    texts.push(packet.toString("utf8", start, at));
  }
  if (at !== end) return "badPacket";
  const [cluster = "", name = "", address = ""] = texts;
  const stampMs = Number(packet.readBigUInt64BE(STAMP_AT));
  const [signed, code] = [packet.subarray(0, end), packet.subarray(end)];
  return { stampMs, cluster, name, address, signed, code };
}

function isAddress(address: string): boolean {
  const read = attempt(() => parseAddress(address, "address"));
  return read.ok && read.value.port > 0;
}
