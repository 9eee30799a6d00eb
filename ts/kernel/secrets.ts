import { readFileSync } from "node:fs";
import { FoundationError } from "../base/errors.ts";

/**
 * A secret that the members of a cluster share: text, bytes, or where to read it from.
 * `env:NAME` reads an environment variable, `file:PATH` a file, without line ends behind it.
 */
export type Secret = string | Uint8Array;

/** Shortest secret. Unit: bytes. A random one of this length cannot be guessed. */
export const SECRET_BYTES_MIN = 16;

/**
 * The bytes of a secret as hexadecimal digits, the form that the native core reads. Errors name
 * where it came from, never what it is.
 *
 * @throws FoundationError `invalid_options` where it is absent, too short or no secret at all
 */
export function secretDigits(secret: Secret, where: string): string {
  const bytes = secretBytes(secret, where);
  if (bytes.length < SECRET_BYTES_MIN) {
    throw invalid(
      `${where} has ${bytes.length} bytes and must have at least ${SECRET_BYTES_MIN}; ` +
        "`openssl rand -base64 32` makes a good one",
    );
  }
  return bytes.toString("hex");
}

/**
 * The bytes of a secret of any length, read from where it says.
 *
 * @throws FoundationError `invalid_options` where it is absent or no secret at all
 */
export function secretBytes(secret: unknown, where: string): Buffer {
  if (secret instanceof Uint8Array) return Buffer.from(secret);
  if (typeof secret !== "string") throw invalid(`${where} must be a string or a Uint8Array`);
  const [, scheme, place = ""] = /^(env|file):(.*)$/s.exec(secret) ?? [];
  if (scheme === undefined) return Buffer.from(secret);
  return scheme === "env" ? fromEnvironment(place, where) : fromFile(place, where);
}

function fromEnvironment(variable: string, where: string): Buffer {
  const value = process.env[variable];
  if (value === undefined || value === "") {
    throw invalid(`${where}: the environment variable ${variable} is not set or empty`);
  }
  return Buffer.from(value);
}

function fromFile(path: string, where: string): Buffer {
  try {
    const bytes = readFileSync(path);
    let end = bytes.length;
    while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
    return bytes.subarray(0, end);
  } catch (error) {
    throw invalid(`${where}: the file ${path} cannot be read`, { cause: error });
  }
}

function invalid(message: string, options: { cause?: unknown } = {}): FoundationError {
  return new FoundationError("invalid_options", message, options);
}
