// A pool of heavy processes that survives endless loops and memory hogs.
import { fileURLToPath } from "node:url";
import { Foundation, GenServer, heavy } from "foundation-runtime";

/** Runs in an isolate of its own, which is why it can be ended whatever it does. */
export class Worker extends GenServer {
  handleCall({ square }) {
    if (square === 13) for (;;);
    if (square === 17) for (const hog = []; ; ) hog.push(new Array(1e6).fill(square));
    return square * square;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const node = await Foundation.start({ name: "pool" });
  const { processes, supervisors } = node.beam;
  const start = heavy({ module: import.meta.url, export: "Worker", heapMiB: 64 });
  const names = ["left", "right"];
  const pool = await supervisors.start({
    children: names.map((name) => ({ id: name, start, name })),
  });

  /** Asks a worker; one that takes too long is killed, and its supervisor starts another. */
  const ask = async (name, square) => {
    const pid = await processes.lookup(name);
    try {
      return await processes.call(pid, { square }, { timeoutMs: 2_000 });
    } catch (error) {
      processes.exit(pid, "kill");
      return error.code;
    }
  };

  const answers = await Promise.all([3, 13].map((square, index) => ask(names[index], square)));
  console.log("3 and 13:", answers.join(", "));
  console.log("17:", await ask("left", 17));
  for (const name of names) {
    while ((await processes.lookup(name)) === undefined) await new Promise(setImmediate);
  }
  console.log("4 and 5:", (await Promise.all([ask("left", 4), ask("right", 5)])).join(", "));
  await supervisors.stop(pool);
  await node.leave();
}
