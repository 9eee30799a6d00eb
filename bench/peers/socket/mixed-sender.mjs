/**
 * One hand-batched connection that carries bulk and, between its messages, pings: what a program
 * gets that sends both over one socket. A frame of the ping's size is a ping.
 */

import { endWithRunner, fail, parameters } from "../../child.mjs";
import { startPinging } from "../../cluster/latency/round-trips.mjs";
import { createOwnedSource } from "../owned-bytes.mjs";
import { BatchingWriter } from "./batching-writer.mjs";
import { FrameReader } from "./frames.mjs";
import { acceptOne } from "./listen.mjs";

const QUEUE_BYTES = 256 * 1024;

async function sendBulk(writer, bytes, timing) {
  const payload = { name: "bulk", kind: "bytes", bytes };
  // One in the system's queue, one in the socket's, one being made.
  await writer.sendStream(payload, createOwnedSource(payload, 3), timing);
}

async function main() {
  const { bulkBytes, isPinging, timing } = parameters();
  endWithRunner();
  const socket = await acceptOne({ highWaterMark: QUEUE_BYTES });
  socket.on("error", fail);
  const writer = new BatchingWriter(socket);
  if (isPinging) {
    const onPong = startPinging(timing, (ping) => writer.send(ping));
    const reader = new FrameReader(onPong);
    socket.on("data", (chunk) => reader.push(chunk, chunk.length));
  }
  if (bulkBytes > 0) await sendBulk(writer, bulkBytes, timing);
}

main().catch(fail);
