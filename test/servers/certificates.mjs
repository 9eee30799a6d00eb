/**
 * Certificates of a test's own, made anew for each run: Node reads them and makes none, and keys
 * that are committed are keys that leak. DER by hand, as far as X.509 version 3 needs it.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** @param {number} tag @param {...Uint8Array} parts @returns {Buffer} */
function der(tag, ...parts) {
  const body = Buffer.concat(parts);
  const size = body.length;
  const head = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), body]);
}

/** @param {...Uint8Array} parts */
const sequence = (...parts) => der(0x30, ...parts);
/** @param {string} hex */
const oid = (hex) => der(0x06, Buffer.from(hex, "hex"));
const ALGORITHM = sequence(oid("2a8648ce3d040302")); // ecdsa-with-SHA256

/** @param {string} text */
function nameOf(text) {
  return sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from(text)))));
}

/** @param {number} ms since 1970 */
function time(ms) {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(text.slice(2)));
}

/** @param {string} id @param {Buffer} value */
function extension(id, value) {
  return sequence(oid(id), der(0x01, Buffer.of(0xff)), der(0x04, value));
}

/** @param {readonly string[]} hosts IPv4 addresses and names */
function alternatives(hosts) {
  const names = hosts.map((host) =>
    isIPv4(host)
      ? der(0x87, Buffer.from(host.split(".").map(Number)))
      : der(0x82, Buffer.from(host)),
  );
  return sequence(oid("551d11"), der(0x04, sequence(...names)));
}

/** @param {Buffer} bytes */
function pem(bytes) {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const DAY_MS = 86_400_000;

/** An authority that signs certificates of servers. */
export class CertificateAuthority {
  #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #name = `test authority ${randomBytes(4).toString("hex")}`;

  constructor() {
    const isAuthority = extension("551d13", sequence(der(0x01, Buffer.of(0xff))));
    const signsOthers = extension("551d0f", der(0x03, Buffer.of(2, 0x04)));
    /** The authority itself, as PEM. */
    this.certificate = this.#signed(this.#name, this.#keys.publicKey, [isAuthority, signsOthers]);
  }

  /**
   * A certificate for a server and the key to it, as PEM.
   *
   * @param {readonly string[]} hosts IPv4 addresses and names that it has
   * @returns {{ cert: string, key: string }}
   */
  issue(hosts) {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const cert = this.#signed("test server", publicKey, [alternatives(hosts)]);
    return { cert, key: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
  }

  /**
   * @param {string} subject
   * @param {import("node:crypto").KeyObject} publicKey
   * @param {readonly Buffer[]} extensions
   */
  #signed(subject, publicKey, extensions) {
    const now = Date.now();
    const body = sequence(
      der(0xa0, der(0x02, Buffer.of(2))),
      der(0x02, Buffer.of(1), randomBytes(8)),
      ALGORITHM,
      nameOf(this.#name),
      sequence(time(now - DAY_MS), time(now + DAY_MS)),
      nameOf(subject),
      publicKey.export({ type: "spki", format: "der" }),
      der(0xa3, sequence(...extensions)),
    );
    const signature = sign("sha256", body, this.#keys.privateKey);
    return pem(sequence(body, ALGORITHM, der(0x03, Buffer.of(0), signature)));
  }
}
