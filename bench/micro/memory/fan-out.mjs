/** One large message to several isolates: by copies, and by memory that they share. */

import { Worker } from "node:worker_threads";

import { Foundation, heavy } from "foundation-runtime";

import { rate } from "../rate.mjs";
import { answerMemory } from "./ask.mjs";
import { collected } from "./collected.mjs";
import { writeNumber } from "./readers.mjs";

const MESSAGE_BYTES = 2 ** 20;
const READERS = 4;
const READER = new URL("readers.mjs", import.meta.url);

async function startNode() {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  return node.beam;
}

/** Workers that answer each message; `post` tells what becomes of the bytes for all of them. */
function startWorkers(module, onAnswer) {
  return Array.from({ length: READERS }, () => {
    const worker = new Worker(new URL(module, import.meta.url));
    worker.on("message", onAnswer);
    worker.on("error", (error) => {
      throw error;
    });
    return worker;
  });
}

/**
 * Answers with what sends bytes to all readers, who call `onAnswer` with the number in them, and
 * with what the library has counted of the copies for it.
 *
 * @typedef {{ send(bytes: Uint8Array): void | Promise<void>, copiedBytes?: () => number }} Sender
 * @type {Record<string, (onAnswer: (number: number) => void) => Promise<Sender>>}
 */
const CONTENDERS = {
  async copied(onAnswer) {
    const { processes, messages } = await startNode();
    const sink = processes.spawn(onAnswer);
    const start = heavy({ module: READER, export: "reader" });
    const readers = [];
    while (readers.length < READERS) readers.push(await processes.start(start));
    for (const pid of readers) processes.send(pid, sink);
    let copiedBytes = 0;
    return {
      async send(bytes) {
        const receipts = await Promise.all(
          readers.map((pid) => messages.sendOptimized(pid, bytes)),
        );
        for (const receipt of receipts) copiedBytes += receipt.copiedBytes;
      },
      copiedBytes: () => copiedBytes,
    };
  },
  async shared(onAnswer) {
    const pool = (await startNode()).memory.sharedBinaries();
    const workers = startWorkers("ticket-worker.mjs", onAnswer);
    return {
      send(bytes) {
        const binary = pool.put(bytes);
        const ticket = binary.ticket(READERS);
        for (const worker of workers) worker.postMessage(ticket);
        binary.release();
      },
      copiedBytes: () => pool.counts().copiedBytes,
    };
  },
  async worker(onAnswer) {
    const workers = startWorkers("reading-worker.mjs", onAnswer);
    return {
      send(bytes) {
        for (const worker of workers) worker.postMessage(bytes);
      },
    };
  },
  async "worker shared"(onAnswer) {
    const workers = startWorkers("reading-worker.mjs", onAnswer);
    return {
      send(bytes) {
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        for (const worker of workers) worker.postMessage(shared);
      },
    };
  },
};

await answerMemory(async ({ contender, timing }) => {
  let [number, left, onAll] = [0, 0, () => {}];
  const { send, copiedBytes } = await CONTENDERS[contender]((answered) => {
    if (answered !== (number & 0xffff)) throw new Error(`${number} was answered by ${answered}`);
    if (--left === 0) onAll();
  });
  const bytes = new Uint8Array(MESSAGE_BYTES).fill(7);
  const sendOne = async () => {
    number++;
    left = READERS;
    writeNumber(bytes, number);
    const all = new Promise((resolve) => {
      onAll = resolve;
    });
    await send(bytes);
    await all;
    return 1;
  };
  const { residentBytes } = collected();
  const messages = await rate(sendOne, timing);
  const grown = process.resourceUsage().maxRSS * 1_024 - residentBytes;
  const copied = copiedBytes && { copied: copiedBytes() / number };
  return { messages, ...copied, grown: Math.max(0, grown) / 2 ** 20 };
});
