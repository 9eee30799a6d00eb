/**
 * The one place where the micro benches name internals of the product: its rings, its values and
 * its addon, all from the built code. The process benches need nothing of this, they use the public
 * API.
 */

import { createRequire } from "node:module";

const BUILT = new URL("../dist/", import.meta.url);

/** Imports a built module; a missing build is said in words. */
async function importBuilt(path) {
  try {
    return await import(new URL(path, BUILT).href);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`dist/${path} is not built: npm run build`, { cause: error });
  }
}

/** Takes an export or says that it is gone, instead of an undefined that fails far away. */
function pick(module, name, path) {
  if (module[name] === undefined) throw new Error(`${path} exports no ${name}`);
  return module[name];
}

/** @returns {Promise<{ encode(value: unknown): Uint8Array, decode(bytes: Uint8Array): any }>} */
export async function openValues() {
  const path = "ts/kernel/values.js";
  const values = await importBuilt(path);
  return {
    encode: pick(values, "encodeValue", path),
    decode: pick(values, "decodeValue", path),
  };
}

const RING_PATH = "ts/kernel/ring.js";
const BENCH_TAG = 1;

/**
 * A ring's memory, made in JavaScript, to be passed to a worker or to the addon.
 *
 * @param {number} capacityBytes a power of two
 */
export async function createRingMemory(capacityBytes) {
  const layoutPath = "bindings/generated/layout.js";
  const layout = await importBuilt(layoutPath);
  const buffer = new SharedArrayBuffer(pick(layout, "RING_DATA", layoutPath) + capacityBytes);
  return { buffer, capacityBytes };
}

/**
 * The producing half. `push` answers false when the ring is full; `publish` shows what was pushed
 * and wakes the consumer; `awaitSpace` blocks until a message of this size may fit.
 */
export async function openRingProducer({ buffer, capacityBytes }) {
  const ring = await importBuilt(RING_PATH);
  const producer = new (pick(ring, "RingProducer", RING_PATH))(buffer, 0, capacityBytes);
  const { armed, waiting } = await sleepWords(buffer);
  return {
    push: (bytes) => producer.tryPush(BENCH_TAG, bytes),
    publish() {
      if (producer.publish()) Atomics.notify(armed, 0);
    },
    awaitSpace(bytes) {
      if (!producer.awaitSpace(bytes)) Atomics.wait(waiting, 0, 1);
    },
  };
}

/**
 * The consuming half. `drain` calls back with a view of each message; `sleep` blocks until a wake.
 */
export async function openRingConsumer({ buffer, capacityBytes }) {
  const ring = await importBuilt(RING_PATH);
  const consumer = new (pick(ring, "RingConsumer", RING_PATH))(buffer, 0, capacityBytes);
  const { armed, waiting } = await sleepWords(buffer);
  return {
    drain(onBytes) {
      let drained = 0;
      for (let record = consumer.next(); record !== undefined; record = consumer.next()) {
        onBytes(record.body);
        drained += 1;
      }
      if (consumer.release()) Atomics.notify(waiting, 0);
      return drained;
    },
    sleep() {
      if (consumer.arm()) Atomics.wait(armed, 0, 1);
    },
  };
}

/** The words on which the two halves sleep here; in the product a doorbell takes their place. */
async function sleepWords(buffer) {
  const layout = await importBuilt("bindings/generated/layout.js");
  return {
    armed: new Int32Array(buffer, layout.RING_ARMED, 1),
    waiting: new Int32Array(buffer, layout.RING_WAITING, 1),
  };
}

function openAddon() {
  try {
    return createRequire(import.meta.url)("../dist/bindings/foundation_core.node");
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    throw new Error("the addon is not built: npm run build", { cause: error });
  }
}

/**
 * Starts a thread of the addon that drains the ring by the rules of cluster/stream.mjs.
 *
 * @param {{ buffer: SharedArrayBuffer, capacityBytes: number }} memory
 * @returns {Promise<{ messages: number, seconds: number }>} settled with the last message
 */
export function drainInRust({ buffer, capacityBytes }) {
  const sink = pick(openAddon(), "benchRingSink", "the addon");
  return sink(buffer, capacityBytes);
}

/**
 * Calls of the addon that do as little as possible.
 *
 * @returns {Record<"noop" | "doorbell", () => void>}
 */
export function openBoundaryCalls() {
  const addon = openAddon();
  return {
    noop: pick(addon, "benchNoop", "the addon"),
    doorbell: pick(addon, "benchDoorbell", "the addon"),
  };
}
