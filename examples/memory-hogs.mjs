// A pool of workers with limits: endless loops and memory hogs end, and others take their place.
import { fileURLToPath } from "node:url";
import { Foundation, GenServer, heavy } from "foundation-runtime";

/** Counts characters, unless it is given something else to do. */
export class Worker extends GenServer {
  async handleCall(text) {
    if (text === "loop") for (;;);
    for (const hog = []; text === "hog"; ) {
      hog.push(Buffer.alloc(2 ** 20, text));
      await new Promise(setImmediate); // it does not stall, it only takes more and more
    }
    return text.length;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const node = await Foundation.start({ name: "pool" });
  const { processes, supervisors } = node.beam;
  const start = heavy({
    module: import.meta.url,
    export: "Worker",
    stallMs: 500, // ended by a thread that sees its event loop stand still
    heapMiB: 64, // ended by V8
    offHeapMiB: 64, // ended by the same thread, for buffers are no part of the heap
  });
  const names = ["left", "right"];
  const children = names.map((name) => ({ id: name, start, name }));
  await supervisors.start({ children, intensity: { restartsMax: 10, withinMs: 60_000 } });

  /** Asks a worker; nobody here has to watch the clock, or the memory. */
  const ask = async (name, text) => {
    let pid = await processes.lookup(name);
    for (; pid === undefined; pid = await processes.lookup(name)) await new Promise(setImmediate);
    try {
      return await processes.call(pid, text);
    } catch (error) {
      return error.context.reason.kind;
    }
  };

  const texts = ["a text", "loop", "a text", "hog", "another text"];
  for (const text of texts) {
    const answers = await Promise.all(names.map((name) => ask(name, text)));
    console.log(`${text}: ${answers.join(", ")}`);
  }
  await node.leave();
}
