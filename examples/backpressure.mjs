// A sender that is faster than its receiver: `send` answers false and takes nothing, `drained` says
// when to go on. What waits is bounded on both sides, whatever the handler does.
import { setImmediate as nextTurn } from "node:timers/promises";
import { Foundation } from "foundation-runtime";

const MESSAGES = 4_000;
const MESSAGE_BYTES = 4_096;

const limits = { highWaterBytes: 256 << 10, lowWaterBytes: 64 << 10, windowBytes: 64 << 10 };
const camera = await Foundation.start({
  name: "camera",
  channels: { frames: { priority: 2 } },
  ...limits,
});
const archive = await Foundation.start({ name: "archive", seeds: [camera.address], ...limits });
await camera.awaitReady({ minimumMembers: 2 });

let next = 0;
let isInOrder = true;
const allArrived = new Promise((resolve) => {
  // Its credit goes back when the promise settles: at most `windowBytes` are under way to it.
  archive.handle("store", async (frame) => {
    const number = new DataView(frame.buffer, frame.byteOffset).getUint32(0);
    isInOrder &&= number === next;
    next += 1;
    await nextTurn();
    if (next === MESSAGES) resolve();
  });
});

let waits = 0;
let queuedBytesMax = 0;
for (let number = 0; number < MESSAGES; number++) {
  const frame = new Uint8Array(MESSAGE_BYTES);
  new DataView(frame.buffer).setUint32(0, number);
  while (!camera.send({ node: "archive", name: "store" }, frame, { channel: "frames" })) {
    waits += 1;
    queuedBytesMax = Math.max(queuedBytesMax, camera.metrics().peers[0]?.queuedBytes ?? 0);
    await camera.drained({ to: "archive", channel: "frames" });
  }
}
await allArrived;
console.log(`${next} frames arrived ${isInOrder ? "in order" : "out of order"}`);
console.log(`the sender ${waits > 0 ? "had to wait" : "never waited"}`);
console.log(`its queue ${queuedBytesMax <= 1 << 20 ? "stayed below" : "passed"} 1 MiB`);

await archive.leave();
await camera.leave();
