/**
 * The dialling side of the protocol, written from docs/protocol.md and docs/security.md with
 * OpenSSL's cryptography and nothing of the core: if it can talk to a node, the pages are right.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyPairKeyObjectResult,
  randomBytes,
} from "node:crypto";
import { type Builder, ByteBuffer, Builder as FlatBuilder } from "flatbuffers";

const HEADER_BYTES = 16;
const TAG_BYTES = 16;

/** Numbers of the control union. */
export const BODY = Object.freeze({
  hello: 1,
  auth: 2,
  reject: 3,
  ready: 4,
  members: 12,
  bind: 5,
  credits: 7,
  reserve: 8,
  ping: 9,
  pong: 10,
  leave: 14,
  undelivered: 15,
});

const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  return crc;
});

function crcBehind(crc: number, bytes: Uint8Array, from: number, to: number): number {
  let next = crc;
  for (let at = from; at < to; at++) {
    next = (next >>> 8) ^ (CRC_OF_BYTE[(next ^ (bytes[at] as number)) & 0xff] as number);
  }
  return next;
}

/** The checksum of a payload. */
export function crc32c(bytes: Uint8Array): number {
  return ~crcBehind(~0, bytes, 0, bytes.length) >>> 0;
}

/** The checksum of a header, whose own field is left out. */
export function headerCrc(frame: Uint8Array, headerBytes: number): number {
  return ~crcBehind(crcBehind(~0, frame, 0, 12), frame, HEADER_BYTES, headerBytes) >>> 0;
}

/** A control frame around one message of the schema. */
export function control(body: number, build: (builder: Builder) => number): Buffer {
  const builder = new FlatBuilder();
  const table = build(builder);
  builder.startObject(2);
  builder.addFieldInt8(0, body, 0);
  builder.addFieldOffset(1, table, 0);
  builder.finish(builder.endObject(), "FCTL");
  const payload = builder.asUint8Array();
  const frame = Buffer.concat([Buffer.alloc(HEADER_BYTES), payload]);
  frame.writeUInt32LE(frame.length, 0);
  frame.set([2, HEADER_BYTES / 4], 4);
  frame.writeUInt32LE(crc32c(payload), 8);
  frame.writeUInt32LE(headerCrc(frame, HEADER_BYTES), 12);
  return frame;
}

/** The body of a control frame: its number, and its fields by their place in the schema. */
export class Message {
  readonly body: number;
  readonly #buffer: ByteBuffer;
  readonly #table: number;

  constructor(frame: Buffer) {
    const buffer = new ByteBuffer(new Uint8Array(frame.subarray(HEADER_BYTES)));
    const root = buffer.readInt32(0);
    this.body = buffer.readUint8(root + buffer.__offset(root, 4));
    this.#buffer = buffer;
    this.#table = buffer.__indirect(root + buffer.__offset(root, 6));
  }

  #at(field: number): number {
    return this.#table + this.#buffer.__offset(this.#table, 4 + 2 * field);
  }

  u32(field: number): number {
    return this.#buffer.readUint32(this.#at(field));
  }

  bytes(field: number): Buffer {
    const start = this.#buffer.__vector(this.#at(field));
    const length = this.#buffer.__vector_len(this.#at(field));
    return Buffer.from(this.#buffer.bytes().subarray(start, start + length));
  }
}

const mac = (key: Uint8Array | string, ...parts: Uint8Array[]): Buffer => {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};
const expand = (key: Uint8Array, label: string): Buffer =>
  mac(key, Buffer.from(label), Buffer.of(1));

/** Seals or opens the records of one direction. */
class Records {
  readonly #key: Buffer;
  #count = 0n;

  constructor(traffic: Buffer) {
    this.#key = expand(traffic, "foundation/1 key");
  }

  #nonce(): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64LE(this.#count++, 4);
    return nonce;
  }

  seal(plain: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(plain.length + TAG_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, this.#nonce());
    cipher.setAAD(length);
    return Buffer.concat([length, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  open(record: Buffer): Buffer {
    const cipher = createDecipheriv("aes-256-gcm", this.#key, this.#nonce());
    cipher.setAAD(record.subarray(0, 4));
    cipher.setAuthTag(record.subarray(-TAG_BYTES));
    return Buffer.concat([cipher.update(record.subarray(4, -TAG_BYTES)), cipher.final()]);
  }
}

/** Channels of priority 1, weight 1 and one lane. */
function channelSpecs(builder: Builder, names: readonly string[]): number {
  const tables = names.map((name) => {
    const text = builder.createString(name);
    builder.startObject(5);
    builder.addFieldOffset(0, text, 0);
    builder.addFieldInt8(1, 1, 0);
    builder.addFieldInt16(2, 1, 0);
    builder.addFieldInt8(3, 1, 0);
    return builder.endObject();
  });
  builder.startVector(4, tables.length, 4);
  for (const table of tables.reverse()) builder.addOffset(table);
  return builder.endVector();
}

const X25519_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/** What a dialler by hand says of itself. */
export interface HandIdentity {
  readonly node: string;
  readonly cluster: string;
  /** Without one the link is in plain text. */
  readonly secret?: string;
  /** Its channels; the place in the list is the number on the wire. */
  readonly channels?: readonly string[];
  /** Later runs of a node have a greater one. */
  readonly lifeStart?: bigint;
}

/** One handshake of a dialler; with a secret it wants sealed records and has AES. */
export class ByHand {
  readonly #root: Buffer;
  readonly #pair: KeyPairKeyObjectResult | undefined;
  readonly hello: Buffer;
  /** Names the link in every data frame. */
  readonly epoch: number;
  #keys: Buffer = Buffer.alloc(0);
  #transcript: Buffer = Buffer.alloc(0);

  constructor({ node, cluster, secret, channels = [], lifeStart = 1n }: HandIdentity) {
    const isSealed = secret !== undefined;
    this.#root = isSealed ? mac("foundation/1 secret", Buffer.from(secret)) : Buffer.alloc(32);
    this.#pair = isSealed ? generateKeyPairSync("x25519") : undefined;
    const keyId = isSealed ? expand(this.#root, "foundation/1 key id").readUInt32LE(0) : 0;
    const exported = this.#pair?.publicKey.export({ format: "der", type: "spki" });
    const share = exported?.subarray(-32);
    const epoch = randomBytes(8);
    this.epoch = epoch.readUInt32LE(0);
    this.hello = control(BODY.hello, (builder) => {
      const texts = [cluster, node, ""].map((text) => builder.createString(text));
      const nonce = builder.createByteVector(randomBytes(32));
      const own = share === undefined ? 0 : builder.createByteVector(share);
      const specs = channelSpecs(builder, channels);
      builder.startObject(17);
      builder.addFieldInt16(0, 1, 0); // version_min
      builder.addFieldInt16(1, 1, 0); // version_max
      builder.addFieldOffset(2, texts[0]!, 0);
      builder.addFieldOffset(3, texts[1]!, 0);
      builder.addFieldInt64(4, lifeStart, 0n); // life_start
      builder.addFieldInt64(5, randomBytes(8).readBigInt64LE(), 0n); // life_random
      builder.addFieldOffset(6, nonce, 0);
      builder.addFieldOffset(7, texts[2]!, 0); // listen
      builder.addFieldInt64(10, epoch.readBigInt64LE(), 0n); // epoch
      builder.addFieldInt64(11, 1n << 20n, 0n); // window_bytes
      builder.addFieldInt64(12, 1n << 20n, 0n); // message_bytes_max
      builder.addFieldOffset(13, specs, 0);
      builder.addFieldInt32(14, keyId, 0);
      builder.addFieldOffset(15, own, 0);
      builder.addFieldInt8(16, isSealed ? 3 : 0, 0); // wants it sealed, has AES
      return builder.endObject();
    });
  }

  /** Takes the acceptor's Hello as it came; answers the dialler's proof. */
  prove(acceptorHello: Buffer): Buffer {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(this.hello.length));
    const hash = createHash("sha256").update(length).update(this.hello).update(acceptorHello);
    this.#transcript = hash.digest();
    this.#keys = mac(this.#transcript, this.#root, this.#exchanged(acceptorHello));
    return control(BODY.auth, (builder) => {
      const proof = builder.createByteVector(this.proofOf("dialler"));
      builder.startObject(1);
      builder.addFieldOffset(0, proof, 0);
      return builder.endObject();
    });
  }

  #exchanged(acceptorHello: Buffer): Buffer {
    if (this.#pair === undefined) return Buffer.alloc(0);
    const share = new Message(acceptorHello).bytes(15);
    const key = Buffer.concat([X25519_PREFIX, share]);
    const publicKey = createPublicKey({ key, format: "der", type: "spki" });
    return diffieHellman({ privateKey: this.#pair.privateKey, publicKey });
  }

  /** What that side has to say. */
  proofOf(side: "dialler" | "acceptor"): Buffer {
    return mac(expand(this.#keys, `foundation/1 ${side} proof`), this.#transcript);
  }

  /** The records of that side. */
  recordsOf(side: "dialler" | "acceptor"): Records {
    return new Records(expand(this.#keys, `foundation/1 ${side} traffic`));
  }
}
