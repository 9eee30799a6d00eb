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
  randomBytes,
} from "node:crypto";
import { type Builder, ByteBuffer, Builder as FlatBuilder } from "flatbuffers";

const HEADER_BYTES = 16;
const TAG_BYTES = 16;

/** Numbers of the control union. */
export const BODY = Object.freeze({ hello: 1, auth: 2, ready: 4, ping: 9, pong: 10, leave: 14 });

function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
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
  frame.writeUInt32LE(crc32c(frame.subarray(0, 12)), 12);
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

const X25519_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/** One handshake of a dialler that wants sealed records and has AES. */
export class ByHand {
  readonly #root: Buffer;
  readonly #pair = generateKeyPairSync("x25519");
  readonly hello: Buffer;
  #keys: Buffer = Buffer.alloc(0);
  #transcript: Buffer = Buffer.alloc(0);

  constructor(node: string, cluster: string, secret: string) {
    this.#root = mac("foundation/1 secret", Buffer.from(secret));
    const keyId = expand(this.#root, "foundation/1 key id").readUInt32LE(0);
    const share = this.#pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    this.hello = control(BODY.hello, (builder) => {
      const texts = [cluster, node, ""].map((text) => builder.createString(text));
      const nonce = builder.createByteVector(randomBytes(32));
      const own = builder.createByteVector(share);
      builder.startObject(17);
      builder.addFieldInt16(0, 1, 0); // version_min
      builder.addFieldInt16(1, 1, 0); // version_max
      builder.addFieldOffset(2, texts[0]!, 0);
      builder.addFieldOffset(3, texts[1]!, 0);
      builder.addFieldInt64(4, 1n, 0n); // life_start
      builder.addFieldInt64(5, randomBytes(8).readBigInt64LE(), 0n); // life_random
      builder.addFieldOffset(6, nonce, 0);
      builder.addFieldOffset(7, texts[2]!, 0); // listen
      builder.addFieldInt64(10, randomBytes(8).readBigInt64LE(), 0n); // epoch
      builder.addFieldInt64(11, 1n << 20n, 0n); // window_bytes
      builder.addFieldInt64(12, 1n << 20n, 0n); // message_bytes_max
      builder.addFieldInt32(14, keyId, 0);
      builder.addFieldOffset(15, own, 0);
      builder.addFieldInt8(16, 3, 0); // wants it sealed, has AES
      return builder.endObject();
    });
  }

  /** Takes the acceptor's Hello as it came; answers the dialler's proof. */
  prove(acceptorHello: Buffer): Buffer {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(this.hello.length));
    const hash = createHash("sha256").update(length).update(this.hello).update(acceptorHello);
    this.#transcript = hash.digest();
    const share = new Message(acceptorHello).bytes(15);
    const key = Buffer.concat([X25519_PREFIX, share]);
    const publicKey = createPublicKey({ key, format: "der", type: "spki" });
    const exchanged = diffieHellman({ privateKey: this.#pair.privateKey, publicKey });
    this.#keys = mac(this.#transcript, this.#root, exchanged);
    return control(BODY.auth, (builder) => {
      const proof = builder.createByteVector(this.proofOf("dialler"));
      builder.startObject(1);
      builder.addFieldOffset(0, proof, 0);
      return builder.endObject();
    });
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
