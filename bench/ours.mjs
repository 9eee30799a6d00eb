/**
 * The one place where the benches name internals of the product: its rings, its values and
 * its addon, all from the built code. The process benches need nothing of this, they use the public
 * API.
 */

import { threadId } from "node:worker_threads";

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

/**
 * Our codec. What `encode` answers lies in reused memory; `keep` makes it last, in a Buffer, as a
 * received message lies in one.
 *
 * @typedef {{ bytes: Uint8Array, encoding: number }} Encoded
 * @returns {Promise<{ encode(value: unknown): Encoded, keep(encoded: Encoded): Encoded,
 *   decode(encoded: Encoded): any }>}
 */
export async function openValues() {
  const path = "ts/kernel/values.js";
  const values = await importBuilt(path);
  const encodeValue = pick(values, "encodeValue", path);
  const decodeValue = pick(values, "decodeValue", path);
  return {
    // Asking for the bytes is part of it: until then they are not put together.
    encode(value) {
      const encoded = encodeValue(value);
      return { bytes: encoded.bytes, encoding: encoded.encoding };
    },
    keep: ({ bytes, encoding }) => ({ bytes: Buffer.from(bytes), encoding }),
    decode: ({ bytes, encoding }) => decodeValue(bytes, encoding),
  };
}

/**
 * Our codec as a burst of sends uses it: small values share bundles of up to 8 KiB, and what their
 * keys are is described once in each.
 *
 * @returns {Promise<{ encodeAll(values: readonly unknown[]): Uint8Array[],
 *   decodeAll(bundles: readonly Uint8Array[]): any[] }>}
 */
export async function openBundledValues() {
  const { encodeValue, decodePacked, ENCODING } = await importBuilt("ts/kernel/values.js");
  const path = "ts/kernel/open-bundle.js";
  const { OpenBundle, BUNDLE_BYTES_MAX } = await importBuilt(path);
  const { RECORD } = await importBuilt(LAYOUT_PATH);
  const lengthBytes = RECORD.BUNDLE_LENGTH_BYTES;
  const route = {};
  const tag = ENCODING.packed << RECORD.ENCODING_SHIFT;
  const ids = { peer: 0, channel: 0, destination: 0, slot: 0, generation: 0, correlation: 0 };
  const head = { ...ids, tag, replyBytesMax: 0, mayBundle: true, route };
  const bundle = new OpenBundle(RECORD.HEAD_BYTES + BUNDLE_BYTES_MAX);
  const close = () => bundle.body.slice(RECORD.HEAD_BYTES, bundle.close());
  return {
    encodeAll(values) {
      const bundles = [];
      for (const value of values) {
        const encoded = encodeValue(value);
        if (bundle.size > 0) {
          if (bundle.appendPacked(route, encoded.packed)) continue;
          bundles.push(close());
        }
        bundle.open(head, encoded, BUNDLE_BYTES_MAX);
      }
      bundles.push(close());
      return bundles;
    },
    decodeAll(bundles) {
      const values = [];
      for (const bytes of bundles) {
        const shapes = [];
        for (let at = 0; at < bytes.length; ) {
          const start = at + lengthBytes;
          at = start + (bytes[at] | (bytes[at + 1] << 8));
          values.push(decodePacked(bytes, start, at, shapes));
        }
      }
      return values;
    },
  };
}

/**
 * Why a node of this build cannot be started with these options; undefined when it can.
 *
 * @param {object} options
 * @returns {Promise<string | undefined>}
 */
export async function supportsOptions(options) {
  const { resolveOptions } = await importBuilt("ts/kernel/options.js");
  try {
    resolveOptions(options);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

const RING_PATH = "ts/kernel/ring.js";
const ARENA_PATH = "ts/kernel/arena.js";
const LAYOUT_PATH = "bindings/generated/layout.js";

/** Bytes that are read before the room is given back, as the product's inbox does it. */
const RELEASE_BYTES = 32 * 1024;

/**
 * A ring's memory, made in JavaScript, to be passed to a worker.
 *
 * @param {number} capacityBytes a power of two
 */
export async function createRingMemory(capacityBytes) {
  const { blockBytes } = await importBuilt(RING_PATH);
  return { buffer: new SharedArrayBuffer(blockBytes(capacityBytes)), capacityBytes };
}

/** What both halves of a ring in memory of its own stand on. */
async function openRing({ buffer, capacityBytes }) {
  const { Arena } = await importBuilt(ARENA_PATH);
  const { RING } = await importBuilt(LAYOUT_PATH);
  return {
    arena: new Arena(buffer, 0),
    capacityBytes,
    ring: await importBuilt(RING_PATH),
    // The halves sleep on the ring's own flags here; in the product a doorbell takes their place.
    armedWord: RING.ARMED >>> 2,
    waitingWord: RING.WAITING >>> 2,
  };
}

/** Makes `push`, which writes a whole message and answers false when the ring is full. */
function createPush(producer, arena, tag) {
  return (bytes) => {
    const start = producer.claim(bytes.length, tag);
    if (start < 0) return false;
    arena.u8.set(bytes, start);
    return true;
  };
}

/**
 * The producing half. `publish` shows what was pushed and wakes the consumer; `awaitSpace` blocks
 * until the consumer gave room back.
 */
export async function openRingProducer(memory) {
  const { arena, capacityBytes, ring, armedWord, waitingWord } = await openRing(memory);
  const producer = new ring.RingProducer(arena, 0, capacityBytes);
  return {
    push: createPush(producer, arena, 1),
    publish() {
      if (producer.publish()) Atomics.notify(arena.i32, armedWord);
    },
    awaitSpace() {
      // Half of the ring, as the product waits for: waking for each message would be a crawl.
      if (producer.awaitSpace(capacityBytes >>> 1)) Atomics.wait(arena.i32, waitingWord, 1);
    },
  };
}

/**
 * The consuming half. `drain` calls back with a view of each message; `sleep` blocks until a wake.
 */
export async function openRingConsumer(memory) {
  const { arena, capacityBytes, ring, armedWord, waitingWord } = await openRing(memory);
  const consumer = new ring.RingConsumer(arena, 0, capacityBytes);
  const release = () => {
    if (consumer.release()) Atomics.notify(arena.i32, waitingWord);
  };
  return {
    drain(onBytes) {
      let drained = 0;
      while (consumer.next()) {
        onBytes(new Uint8Array(arena.buffer, consumer.start, consumer.size));
        if (consumer.unreleasedBytes >= RELEASE_BYTES) release();
        drained += 1;
      }
      release();
      if (consumer.isCorrupt) throw new Error("the ring is corrupt");
      return drained;
    },
    sleep() {
      if (consumer.arm()) Atomics.wait(arena.i32, armedWord, 1);
    },
  };
}

/** Starts a node by the addon's own calls and attaches to it, without JavaScript's half of it. */
async function attachBare(wake) {
  const { core } = await importBuilt("ts/kernel/native.js");
  const { resolveOptions, toNativeOptions } = await importBuilt("ts/kernel/options.js");
  const { lendArena } = await importBuilt("ts/kernel/shared-runtime.js");
  const options = resolveOptions({ name: "bench", cluster: "bench" });
  const arena = lendArena(options.arenaBytesMax);
  const { node } = core.startNode(toNativeOptions(options));
  return { core, arena, node, attached: core.attachIsolate(node, wake, false, threadId) };
}

/**
 * The producing half of a ring to the kernel thread. The records are of a kind that it does not
 * know: it takes and counts them, and nothing of the link's work is in the figure.
 */
export async function openKernelRing() {
  let wake = () => {};
  const { core, arena, node, attached } = await attachBare(() => wake());
  const { RingProducer } = await importBuilt(RING_PATH);
  const { RECORD } = await importBuilt(LAYOUT_PATH);
  const { isolate, outwardOffset, ringBytes } = attached;
  const producer = new RingProducer(arena, arena.at(outwardOffset), ringBytes);
  const awaitSpace = (bytes) =>
    new Promise((resolve) => {
      wake = () => {
        if (!producer.awaitSpace(bytes)) resolve();
      };
      wake();
    });
  return {
    push: createPush(producer, arena, RECORD.KIND_MASK),
    publish() {
      if (producer.publish()) core.ringKernel(isolate);
    },
    awaitSpace: () => awaitSpace(ringBytes >>> 1),
    /** Resolves once the kernel thread has taken everything. */
    awaitEmpty: () => awaitSpace(ringBytes),
    /** Records that it has counted. */
    taken: () => JSON.parse(core.nodeMetrics(node)).unknownRecords,
  };
}

/**
 * Calls of the addon that do as little as possible: nothing, and a wake of the kernel thread.
 *
 * @type {Record<"noop" | "doorbell", () => Promise<() => void>>}
 */
export const BOUNDARY_CALLS = {
  async noop() {
    return (await importBuilt("ts/kernel/native.js")).core.noop;
  },
  async doorbell() {
    const { core, attached } = await attachBare(() => {});
    return () => core.ringKernel(attached.isolate);
  },
};

/** Distance of two places that are copied to in turn, so that they share no cache line. */
const COPY_STRIDE_BYTES = 64 * 1024;

/**
 * Copies between private memory and the arena: by the addon, and by V8 as any program does it.
 *
 * @typedef {{ "copy-in": () => void, "copy-out": () => void }} Copies
 * @param {number} bytes
 * @returns {Promise<{ ours: Copies, "typed-array": Copies }>}
 */
export async function openCopies(bytes) {
  const { core } = await importBuilt("ts/kernel/native.js");
  const { lendArena } = await importBuilt("ts/kernel/shared-runtime.js");
  const { u8 } = lendArena(16 * 1024 * 1024);
  // Not on the heap of small arrays, whose first call would move it.
  const own = new Uint8Array(new ArrayBuffer(bytes));
  let place = 0;
  const next = () => {
    place = (place + COPY_STRIDE_BYTES) % (4 * COPY_STRIDE_BYTES);
    return place;
  };
  return {
    ours: {
      "copy-in": () => core.copyIn(own, bytes, next()),
      "copy-out": () => core.copyOut(own, next()),
    },
    "typed-array": {
      "copy-in": () => u8.set(own, next()),
      "copy-out": () => {
        const start = next();
        own.set(u8.subarray(start, start + bytes));
      },
    },
  };
}
