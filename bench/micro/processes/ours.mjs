/** Ours: light processes through the public API. */

import { Foundation, GenServer } from "foundation-runtime";

import { answer } from "./ask.mjs";

const idle = () => {};

class Successor extends GenServer {
  handleCall(value) {
    return value + 1;
  }
}

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes } = node.beam;
  return {
    spawnIdle: () => processes.spawn(idle),
    async endAll(pids) {
      const { alive } = processes.counts();
      if (alive !== pids.length) throw new Error(`${alive} of ${pids.length} are alive`);
      for (const pid of pids) processes.exit(pid, "kill");
    },
    receiver(onMessage) {
      const pid = processes.spawn(onMessage);
      return (number) => (processes.send(pid, number) ? undefined : processes.drained(pid));
    },
    async server() {
      const pid = await processes.start(Successor);
      return (value) => processes.call(pid, value);
    },
    async million(count) {
      let left = count;
      const pids = [];
      await new Promise((resolve) => {
        const handler = () => {
          if (--left === 0) resolve();
        };
        for (let index = 0; index < count; index++) pids.push(processes.spawn(handler));
        for (const pid of pids) processes.send(pid, "once");
      });
      const { alive } = processes.counts();
      if (alive !== count) throw new Error(`${alive} of ${count} are alive`);
    },
  };
});
