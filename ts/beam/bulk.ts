import { release, slabOf } from "../kernel/slabs.ts";
import { decodeValue, ENCODING } from "../kernel/values.ts";
import type { Fate } from "./envelope.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessRuntime } from "./runtime.ts";

/** Most processes of an isolate that one message is for; more take another one. */
export const RECEIVERS_MAX = 256;

/** A message as it travels to several processes of an isolate: encoded before. */
export interface EncodedMessage {
  readonly encoding: number;
  readonly bytes: Uint8Array;
}

/** Gives messages to processes that came in another way than each for itself. */
export class Bulk {
  readonly #runtime: ProcessRuntime;

  constructor(runtime: ProcessRuntime) {
    this.#runtime = runtime;
  }

  /** Bytes in shared memory: what no handler got is given back at once. */
  counted(process: LightProcess | undefined, bytes: unknown): unknown {
    if (!(bytes instanceof Uint8Array)) return undefined;
    const lost = (): void => {
      release(bytes);
    };
    if (process !== undefined)
      return this.#runtime.backlogs.deliver(process, "send", bytes, { lost });
    this.#runtime.counts.toNobody++;
    return lost();
  }

  /** One message for several processes, which share it as they would one of their own isolate. */
  many(encoding: unknown, serials: unknown, bytes: unknown): unknown {
    if (!Array.isArray(serials) || !(bytes instanceof Uint8Array)) return undefined;
    if (serials.length > RECEIVERS_MAX || typeof encoding !== "number") return undefined;
    const decoded = decode({ encoding, bytes });
    if (decoded === undefined) return undefined;
    const fate = fateOf(bytes, decoded.value, serials.length);
    const settled = serials.map((serial: unknown) => {
      const process = typeof serial === "number" ? this.#runtime.at(serial) : undefined;
      if (process !== undefined) {
        return this.#runtime.backlogs.deliver(process, "send", decoded.value, fate);
      }
      this.#runtime.counts.toNobody++;
      fate?.lost?.();
      return undefined;
    });
    const waiting = settled.filter((each) => each !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting);
  }
}

/** Undefined: it is no message of this version. */
function decode({ encoding, bytes }: EncodedMessage): { readonly value: unknown } | undefined {
  const isRaw = encoding === ENCODING.bytes || slabOf(bytes) === undefined;
  try {
    // The decoder reads private memory alone.
    const value = decodeValue(isRaw ? bytes : Buffer.from(bytes), encoding);
    if (!isRaw) release(bytes);
    return { value };
  } catch {
    return undefined;
  }
}

/** Shared bytes are given back at once where no handler of all got them. */
function fateOf(bytes: Uint8Array, value: unknown, receivers: number): Fate | undefined {
  if (value !== bytes || slabOf(bytes) === undefined) return undefined;
  let left = receivers;
  return {
    lost: () => {
      left--;
      if (left === 0) release(bytes);
    },
  };
}
