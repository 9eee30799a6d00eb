import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { addressOf } from "../../entries.ts";
import type { GossipFormat } from "./gossip-format.ts";
import { decodeHeartbeat, encodeHeartbeat } from "./heartbeat-terms.ts";

const PRELUDE = Buffer.from("heartbeat::");
const IV_BYTES = 16;
const CIPHER = "aes-256-cbc";

/** A packet of libcluster, and back. */
export interface LibclusterCodec {
  seal(name: string): Buffer;
  /** The name in it; undefined for what is none. */
  open(packet: Buffer): string | undefined;
}

/** The form without a secret. */
export const PLAIN_CODEC: LibclusterCodec = Object.freeze({
  seal: (name: string) => Buffer.concat([PRELUDE, encodeHeartbeat(name)]),
  open(packet: Buffer): string | undefined {
    if (!packet.subarray(0, PRELUDE.length).equals(PRELUDE)) return undefined;
    return decodeHeartbeat(packet.subarray(PRELUDE.length));
  },
});

/**
 * The form with a secret. It hides names and proves nothing: bits can be flipped and packets sent
 * again by anybody. `drawIv` draws the 16 bytes that begin a packet.
 */
export function secretCodec(
  secret: Uint8Array,
  drawIv: () => Buffer = () => randomBytes(IV_BYTES),
): LibclusterCodec {
  const key = createHash("sha256").update(secret).digest();
  return {
    seal(name: string): Buffer {
      const iv = drawIv();
      const cipher = createCipheriv(CIPHER, key, iv);
      return Buffer.concat([iv, cipher.update(PLAIN_CODEC.seal(name)), cipher.final()]);
    },
    open(packet: Buffer): string | undefined {
      if (packet.length <= IV_BYTES || packet.length % 16 !== 0) return undefined;
      const decipher = createDecipheriv(CIPHER, key, packet.subarray(0, IV_BYTES));
      try {
        const plain = decipher.update(packet.subarray(IV_BYTES));
        return PLAIN_CODEC.open(Buffer.concat([plain, decipher.final()]));
      } catch {
        return undefined; // The padding is wrong: another secret, or no packet of libcluster.
      }
    },
  };
}

/**
 * Heartbeats that libcluster's Gossip strategy understands. They carry `name@host` and no port:
 * others are looked for at `nodePort`, and those whose host is a name are left out.
 */
export function libclusterFormat(
  codec: LibclusterCodec,
  self: string,
  nodePort: number,
): GossipFormat {
  return {
    seal: () => codec.seal(self),
    open(packet) {
      const name = codec.open(packet);
      if (name === undefined) return "badPacket";
      if (name === self) return "own";
      const [, host = ""] = /^[^@\s\p{Cc}]+@([^@]+)$/u.exec(name) ?? [];
      if (host === "") return "badPacket";
      const address = addressOf(host, nodePort);
      return address === undefined ? "badHost" : { address, name };
    },
  };
}
