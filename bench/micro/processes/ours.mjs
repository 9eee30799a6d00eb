/** Ours: light processes through the public API. */

import { Foundation, GenServer } from "foundation-runtime";

import { answer } from "./ask.mjs";

class Successor extends GenServer {
  handleCall(value) {
    return value + 1;
  }
}

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes } = node.beam;
  // The node's services are processes as well.
  const { alive: services } = processes.counts();
  return {
    start: (onMessage) => processes.spawn(onMessage),
    send: (pid, message) => (processes.send(pid, message) ? undefined : processes.drained(pid)),
    async endAll(pids) {
      const alive = processes.counts().alive - services;
      if (alive !== pids.length) throw new Error(`${alive} of ${pids.length} are alive`);
      for (const pid of pids) processes.exit(pid, "kill");
    },
    async server() {
      const pid = await processes.start(Successor);
      return (value) => processes.call(pid, value);
    },
  };
});
