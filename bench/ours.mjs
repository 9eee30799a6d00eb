/**
import { threadId } from "node:worker_threads";
 * The one place where the benches name internals of the product: its rings, its values and
import { threadId } from "node:worker_threads";
 * its addon, all from the built code. The process benches need nothing of this, they use the public
import { threadId } from "node:worker_threads";
 * API.
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";

const BUILT = new URL("../dist/", import.meta.url);

/** Imports a built module; a missing build is said in words. */
import { threadId, threadId, threadId } from "node:worker_threads";

async function importBuilt(path) {
import { threadId } from "node:worker_threads";
  try {
import { threadId } from "node:worker_threads";
    return await import(new URL(path, BUILT).href);
import { threadId } from "node:worker_threads";
  } catch (error) {
import { threadId } from "node:worker_threads";
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
import { threadId } from "node:worker_threads";
    throw new Error(`dist/${path} is not built: npm run build`, { cause: error });
import { threadId } from "node:worker_threads";
  }
import { threadId } from "node:worker_threads";
}

/** Takes an export or says that it is gone, instead of an undefined that fails far away. */
import { threadId, threadId, threadId } from "node:worker_threads";

function pick(module, name, path) {
import { threadId } from "node:worker_threads";
  if (module[name] === undefined) throw new Error(`${path} exports no ${name}`);
import { threadId } from "node:worker_threads";
  return module[name];
import { threadId } from "node:worker_threads";
}

/**
import { threadId } from "node:worker_threads";
 * Our codec. What `encode` answers lies in reused memory; `keep` makes it last, in a Buffer, as a
import { threadId } from "node:worker_threads";
 * received message lies in one.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @typedef {{ bytes: Uint8Array, encoding: number }} Encoded
import { threadId } from "node:worker_threads";
 * @returns {Promise<{ encode(value: unknown): Encoded, keep(encoded: Encoded): Encoded,
import { threadId } from "node:worker_threads";
 *   decode(encoded: Encoded): any }>}
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openValues() {
import { threadId } from "node:worker_threads";
  const path = "ts/kernel/values.js";
import { threadId } from "node:worker_threads";
  const values = await importBuilt(path);
import { threadId } from "node:worker_threads";
  const encodeValue = pick(values, "encodeValue", path);
import { threadId } from "node:worker_threads";
  const decodeValue = pick(values, "decodeValue", path);
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    // Asking for the bytes is part of it: until then they are not put together.
import { threadId } from "node:worker_threads";
    encode(value) {
import { threadId } from "node:worker_threads";
      const encoded = encodeValue(value);
import { threadId } from "node:worker_threads";
      return { bytes: encoded.bytes, encoding: encoded.encoding };
import { threadId } from "node:worker_threads";
    },
import { threadId } from "node:worker_threads";
    keep: ({ bytes, encoding }) => ({ bytes: Buffer.from(bytes), encoding }),
import { threadId } from "node:worker_threads";
    decode: ({ bytes, encoding }) => decodeValue(bytes, encoding),
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/**
import { threadId } from "node:worker_threads";
 * Our codec as a burst of sends uses it: small values share bundles of up to 8 KiB, and what their
import { threadId } from "node:worker_threads";
 * keys are is described once in each.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @returns {Promise<{ encodeAll(values: readonly unknown[]): Uint8Array[],
import { threadId } from "node:worker_threads";
 *   decodeAll(bundles: readonly Uint8Array[]): any[] }>}
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openBundledValues() {
import { threadId } from "node:worker_threads";
  const { encodeValue, decodePacked, ENCODING } = await importBuilt("ts/kernel/values.js");
import { threadId } from "node:worker_threads";
  const path = "ts/kernel/open-bundle.js";
import { threadId } from "node:worker_threads";
  const { OpenBundle, BUNDLE_BYTES_MAX } = await importBuilt(path);
import { threadId } from "node:worker_threads";
  const { RECORD } = await importBuilt(LAYOUT_PATH);
import { threadId } from "node:worker_threads";
  const lengthBytes = RECORD.BUNDLE_LENGTH_BYTES;
import { threadId } from "node:worker_threads";
  const route = {};
import { threadId } from "node:worker_threads";
  const tag = ENCODING.packed << RECORD.ENCODING_SHIFT;
import { threadId } from "node:worker_threads";
  const ids = { peer: 0, channel: 0, destination: 0, slot: 0, generation: 0, correlation: 0 };
import { threadId } from "node:worker_threads";
  const head = { ...ids, tag, replyBytesMax: 0, mayBundle: true, route };
import { threadId } from "node:worker_threads";
  const bundle = new OpenBundle(RECORD.HEAD_BYTES + BUNDLE_BYTES_MAX);
import { threadId } from "node:worker_threads";
  const close = () => bundle.body.slice(RECORD.HEAD_BYTES, bundle.close());
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    encodeAll(values) {
import { threadId } from "node:worker_threads";
      const bundles = [];
import { threadId } from "node:worker_threads";
      for (const value of values) {
import { threadId } from "node:worker_threads";
        const encoded = encodeValue(value);
import { threadId } from "node:worker_threads";
        if (bundle.size > 0) {
import { threadId } from "node:worker_threads";
          if (bundle.appendPacked(route, encoded.packed)) continue;
import { threadId } from "node:worker_threads";
          bundles.push(close());
import { threadId } from "node:worker_threads";
        }
import { threadId } from "node:worker_threads";
        bundle.open(head, encoded, BUNDLE_BYTES_MAX);
import { threadId } from "node:worker_threads";
      }
import { threadId } from "node:worker_threads";
      bundles.push(close());
import { threadId } from "node:worker_threads";
      return bundles;
import { threadId } from "node:worker_threads";
    },
import { threadId } from "node:worker_threads";
    decodeAll(bundles) {
import { threadId } from "node:worker_threads";
      const values = [];
import { threadId } from "node:worker_threads";
      for (const bytes of bundles) {
import { threadId } from "node:worker_threads";
        const shapes = [];
import { threadId } from "node:worker_threads";
        for (let at = 0; at < bytes.length; ) {
import { threadId } from "node:worker_threads";
          const start = at + lengthBytes;
import { threadId } from "node:worker_threads";
          at = start + (bytes[at] | (bytes[at + 1] << 8));
import { threadId } from "node:worker_threads";
          values.push(decodePacked(bytes, start, at, shapes));
import { threadId } from "node:worker_threads";
        }
import { threadId } from "node:worker_threads";
      }
import { threadId } from "node:worker_threads";
      return values;
import { threadId } from "node:worker_threads";
    },
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/**
import { threadId } from "node:worker_threads";
 * Why a node of this build cannot be started with these options; undefined when it can.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @param {object} options
import { threadId } from "node:worker_threads";
 * @returns {Promise<string | undefined>}
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function supportsOptions(options) {
import { threadId } from "node:worker_threads";
  const { resolveOptions } = await importBuilt("ts/kernel/options.js");
import { threadId } from "node:worker_threads";
  try {
import { threadId } from "node:worker_threads";
    resolveOptions(options);
import { threadId } from "node:worker_threads";
    return undefined;
import { threadId } from "node:worker_threads";
  } catch (error) {
import { threadId } from "node:worker_threads";
    return error.message;
import { threadId } from "node:worker_threads";
  }
import { threadId } from "node:worker_threads";
}

import { threadId, threadId } from "node:worker_threads";

const RING_PATH = "ts/kernel/ring.js";

import { threadId } from "node:worker_threads";

const ARENA_PATH = "ts/kernel/arena.js";

import { threadId } from "node:worker_threads";

const LAYOUT_PATH = "bindings/generated/layout.js";

/** Bytes that are read before the room is given back, as the product's inbox does it. */
import { threadId, threadId, threadId } from "node:worker_threads";

const RELEASE_BYTES = 32 * 1024;

/**
import { threadId } from "node:worker_threads";
 * A ring's memory, made in JavaScript, to be passed to a worker.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @param {number} capacityBytes a power of two
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function createRingMemory(capacityBytes) {
import { threadId } from "node:worker_threads";
  const { blockBytes } = await importBuilt(RING_PATH);
import { threadId } from "node:worker_threads";
  return { buffer: new SharedArrayBuffer(blockBytes(capacityBytes)), capacityBytes };
import { threadId } from "node:worker_threads";
}

/** What both halves of a ring in memory of its own stand on. */
import { threadId, threadId, threadId } from "node:worker_threads";

async function openRing({ buffer, capacityBytes }) {
import { threadId } from "node:worker_threads";
  const { Arena } = await importBuilt(ARENA_PATH);
import { threadId } from "node:worker_threads";
  const { RING } = await importBuilt(LAYOUT_PATH);
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    arena: new Arena(buffer, 0),
import { threadId } from "node:worker_threads";
    capacityBytes,
import { threadId } from "node:worker_threads";
    ring: await importBuilt(RING_PATH),
import { threadId } from "node:worker_threads";
    // The halves sleep on the ring's own flags here; in the product a doorbell takes their place.
import { threadId } from "node:worker_threads";
    armedWord: RING.ARMED >>> 2,
import { threadId } from "node:worker_threads";
    waitingWord: RING.WAITING >>> 2,
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/** Makes `push`, which writes a whole message and answers false when the ring is full. */
import { threadId, threadId, threadId } from "node:worker_threads";

function createPush(producer, arena, tag) {
import { threadId } from "node:worker_threads";
  return (bytes) => {
import { threadId } from "node:worker_threads";
    const start = producer.claim(bytes.length, tag);
import { threadId } from "node:worker_threads";
    if (start < 0) return false;
import { threadId } from "node:worker_threads";
    arena.u8.set(bytes, start);
import { threadId } from "node:worker_threads";
    return true;
import { threadId } from "node:worker_threads";
  };
import { threadId } from "node:worker_threads";
}

/**
import { threadId } from "node:worker_threads";
 * The producing half. `publish` shows what was pushed and wakes the consumer; `awaitSpace` blocks
import { threadId } from "node:worker_threads";
 * until the consumer gave room back.
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openRingProducer(memory) {
import { threadId } from "node:worker_threads";
  const { arena, capacityBytes, ring, armedWord, waitingWord } = await openRing(memory);
import { threadId } from "node:worker_threads";
  const producer = new ring.RingProducer(arena, 0, capacityBytes);
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    push: createPush(producer, arena, 1),
import { threadId } from "node:worker_threads";
    publish() 
import { threadId } from "node:worker_threads";
      if (producer.publish()) Atomics.notify(arena.i32, armedWord);
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
    awaitSpace() 
import { threadId } from "node:worker_threads";
      // Half of the ring, as the product waits for: waking for each message would be a crawl.
import { threadId } from "node:worker_threads";
      if (producer.awaitSpace(capacityBytes >>> 1)) Atomics.wait(arena.i32, waitingWord, 1);
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/**
import { threadId } from "node:worker_threads";
 * The consuming half. `drain` calls back with a view of each message; `sleep` blocks until a wake.
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openRingConsumer(memory) {
import { threadId } from "node:worker_threads";
  const { arena, capacityBytes, ring, armedWord, waitingWord } = await openRing(memory);
import { threadId } from "node:worker_threads";
  const consumer = new ring.RingConsumer(arena, 0, capacityBytes);
import { threadId } from "node:worker_threads";
  const release = () => {
import { threadId } from "node:worker_threads";
    if (consumer.release()) Atomics.notify(arena.i32, waitingWord);
import { threadId } from "node:worker_threads";
  };
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    drain(onBytes) {
import { threadId } from "node:worker_threads";
      let drained = 0;
import { threadId } from "node:worker_threads";
      while (consumer.next()) {
import { threadId } from "node:worker_threads";
        onBytes(new Uint8Array(arena.buffer, consumer.start, consumer.size));
import { threadId } from "node:worker_threads";
        if (consumer.unreleasedBytes >= RELEASE_BYTES) release();
import { threadId } from "node:worker_threads";
        drained += 1;
import { threadId } from "node:worker_threads";
      }
import { threadId } from "node:worker_threads";
      release();
import { threadId } from "node:worker_threads";
      if (consumer.isCorrupt) throw new Error("the ring is corrupt");
import { threadId } from "node:worker_threads";
      return drained;
import { threadId } from "node:worker_threads";
    },
import { threadId } from "node:worker_threads";
    sleep() 
import { threadId } from "node:worker_threads";
      if (consumer.arm()) Atomics.wait(arena.i32, armedWord, 1);
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/** Starts a node by the addon's own calls and attaches to it, without JavaScript's half of it. */
import { threadId, threadId, threadId } from "node:worker_threads";

async function attachBare(wake) {
import { threadId } from "node:worker_threads";
  const { core } = await importBuilt("ts/kernel/native.js");
import { threadId } from "node:worker_threads";
  const { resolveOptions, toNativeOptions } = await importBuilt("ts/kernel/options.js");
import { threadId } from "node:worker_threads";
  const { lendArena } = await importBuilt("ts/kernel/shared-runtime.js");
import { threadId } from "node:worker_threads";
  const options = resolveOptions({ name: "bench", cluster: "bench" });
import { threadId } from "node:worker_threads";
  const arena = lendArena(options.arenaBytesMax);
import { threadId } from "node:worker_threads";
  const { node } = core.startNode(toNativeOptions(options));
import { threadId } from "node:worker_threads";
  return { core, arena, node, attached: core.attachIsolate(node, wake, false, threadId) };
import { threadId } from "node:worker_threads";
}

/**
import { threadId } from "node:worker_threads";
 * The producing half of a ring to the kernel thread. The records are of a kind that it does not
import { threadId } from "node:worker_threads";
 * know: it takes and counts them, and nothing of the link's work is in the figure.
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openKernelRing() {
import { threadId } from "node:worker_threads";
  let wake = () => {};
import { threadId } from "node:worker_threads";
  const { core, arena, node, attached } = await attachBare(() => wake());
import { threadId } from "node:worker_threads";
  const { RingProducer } = await importBuilt(RING_PATH);
import { threadId } from "node:worker_threads";
  const { RECORD } = await importBuilt(LAYOUT_PATH);
import { threadId } from "node:worker_threads";
  const { isolate, outwardOffset, ringBytes } = attached;
import { threadId } from "node:worker_threads";
  const producer = new RingProducer(arena, arena.at(outwardOffset), ringBytes);
import { threadId } from "node:worker_threads";
  const awaitSpace = (bytes) =>
import { threadId } from "node:worker_threads";
    new Promise((resolve) => {
import { threadId } from "node:worker_threads";
      wake = () => {
import { threadId } from "node:worker_threads";
        if (!producer.awaitSpace(bytes)) resolve();
import { threadId } from "node:worker_threads";
      };
import { threadId } from "node:worker_threads";
      wake();
import { threadId } from "node:worker_threads";
    });
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
    push: createPush(producer, arena, RECORD.KIND_MASK),
import { threadId } from "node:worker_threads";
    publish() 
import { threadId } from "node:worker_threads";
      if (producer.publish()) core.ringKernel(isolate);
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
    awaitSpace: () => awaitSpace(ringBytes >>> 1),
import { threadId } from "node:worker_threads";
    /** Resolves once the kernel thread has taken everything. */
import { threadId } from "node:worker_threads";
    awaitEmpty: () => awaitSpace(ringBytes),
import { threadId } from "node:worker_threads";
    /** Records that it has counted. */
import { threadId } from "node:worker_threads";
    taken: () => JSON.parse(core.nodeMetrics(node)).unknownRecords,
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}

/**
import { threadId } from "node:worker_threads";
 * Calls of the addon that do as little as possible: nothing, and a wake of the kernel thread.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @type {Record<"noop" | "doorbell", () => Promise<() => void>>}
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export const BOUNDARY_CALLS = {
import { threadId } from "node:worker_threads";
  async noop() {
import { threadId } from "node:worker_threads";
    return (await importBuilt("ts/kernel/native.js")).core.noop;
import { threadId } from "node:worker_threads";
  },

import { threadId } from "node:worker_threads";

  async doorbell() {
import { threadId } from "node:worker_threads";
    const { core, attached } = await attachBare(() => {});
import { threadId } from "node:worker_threads";
    return () => core.ringKernel(attached.isolate);
import { threadId } from "node:worker_threads";
  },

import { threadId } from "node:worker_threads";

};

/** Distance of two places that are copied to in turn, so that they share no cache line. */
import { threadId, threadId, threadId } from "node:worker_threads";

const COPY_STRIDE_BYTES = 64 * 1024;

/**
import { threadId } from "node:worker_threads";
 * Copies between private memory and the arena: by the addon, and by V8 as any program does it.
import { threadId } from "node:worker_threads";
 *
import { threadId } from "node:worker_threads";
 * @typedef {{ "copy-in": () => void, "copy-out": () => void }} Copies
import { threadId } from "node:worker_threads";
 * @param {number} bytes
import { threadId } from "node:worker_threads";
 * @returns {Promise<{ ours: Copies, "typed-array": Copies }>}
import { threadId } from "node:worker_threads";
 */
import { threadId, threadId, threadId } from "node:worker_threads";
export async function openCopies(bytes) {
import { threadId } from "node:worker_threads";
  const { core } = await importBuilt("ts/kernel/native.js");
import { threadId } from "node:worker_threads";
  const { lendArena } = await importBuilt("ts/kernel/shared-runtime.js");
import { threadId } from "node:worker_threads";
  const { u8 } = lendArena(16 * 1024 * 1024);
import { threadId } from "node:worker_threads";
  // Not on the heap of small arrays, whose first call would move it.
import { threadId } from "node:worker_threads";
  const own = new Uint8Array(new ArrayBuffer(bytes));
import { threadId } from "node:worker_threads";
  let place = 0;
import { threadId } from "node:worker_threads";
  const next = () => {
import { threadId } from "node:worker_threads";
    place = (place + COPY_STRIDE_BYTES) % (4 * COPY_STRIDE_BYTES);
import { threadId } from "node:worker_threads";
    return place;
import { threadId } from "node:worker_threads";
  };
import { threadId } from "node:worker_threads";
  return {
import { threadId } from "node:worker_threads";
import { threadId } from "node:worker_threads";
      "copy-in": () => core.copyIn(own, bytes, next()),
import { threadId } from "node:worker_threads";
      "copy-out": () => core.copyOut(own, next()),
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
    "typed-array": 
import { threadId } from "node:worker_threads";
      "copy-in": () => u8.set(own, next()),
import { threadId } from "node:worker_threads";
      "copy-out": () => {
import { threadId } from "node:worker_threads";
        const start = next();
import { threadId } from "node:worker_threads";
        own.set(u8.subarray(start, start + bytes));
import { threadId } from "node:worker_threads";
      },
import { threadId } from "node:worker_threads";,
import { threadId } from "node:worker_threads";
  };

import { threadId } from "node:worker_threads";

}
