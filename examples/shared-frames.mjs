// A frame of 8 MiB for viewers in two other isolates: it is copied into shared memory once, both
// read it there, and the memory is used again when the last of them has released it.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { Foundation, release } from "foundation-runtime";

/** In a worker: looks at a frame, tells what it saw, and gives the frame back. */
async function runViewer(name) {
  const node = await Foundation.attach();
  const { processes } = node.beam;
  const pid = processes.spawn((frame, self) => {
    const brightest = frame.reduce((most, pixel) => Math.max(most, pixel), 0);
    release(frame);
    self.send("director", { name, brightest });
    setImmediate(() => node.detach());
  });
  processes.send("director", { name, pid });
}

/** Resolves with what both viewers say. */
const fromBoth = async (self) => [await self.receive(), await self.receive()];

async function runMain() {
  const node = await Foundation.start({ name: "studio" });
  const { processes, messages } = node.beam;
  const director = processes.spawn(
    async (_order, self) => {
      const viewers = await fromBoth(self);
      const frame = messages.countBytes(new Uint8Array(8 << 20).fill(200));
      const options = { strategy: "refCountedBinary" };
      for (const { pid } of viewers) {
        const { copiedBytes } = await messages.sendOptimized(pid, frame, options);
        console.log(`copied for a viewer: ${copiedBytes < 100 ? "its address" : "the frame"}`);
      }
      release(frame);
      const seen = await fromBoth(self);
      return seen.map(({ name, brightest }) => `${name} saw ${brightest}`).sort();
    },
    { name: "director" },
  );
  const seen = processes.call(director, "show", { timeoutMs: 20_000 });
  for (const name of ["left", "right"]) new Worker(new URL(import.meta.url), { workerData: name });
  console.log((await seen).join(", "));
  await node.leave();
}

await (isMainThread ? runMain() : runViewer(workerData));
