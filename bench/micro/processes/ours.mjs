/** Ours: light processes through the public API. */

import { Foundation, GenServer } from "foundation-runtime";

import { answer } from "./ask.mjs";

const idle = () => {};

class Successor extends GenServer {
  handleCall(value) {
    return value + 1;
  }
}

/** A child that tells of each of its starts, and crashes when it is told to. */
class Child extends Successor {
  static onStart = () => {};
  init() {
    Child.onStart();
  }
  handleCast() {
    throw new Error("as told");
  }
}

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes, supervisors } = node.beam;
  processes.on("crashed", () => {});
  return {
    spawnIdle: () => processes.spawn(idle),
    async endAll(pids) {
      const { alive } = processes.counts();
      if (alive !== pids.length) throw new Error(`${alive} of ${pids.length} are alive`);
      for (const pid of pids) processes.exit(pid, "kill");
    },
    receiver() {
      let [next, last, onLast] = [0, -1, () => {}];
      const pid = processes.spawn((number) => {
        if (number !== next++) throw new Error(`${number} came in the place of ${next - 1}`);
        if (number === last) onLast();
      });
      let sent = 0;
      return {
        async burst(messages) {
          last = sent + messages - 1;
          const done = new Promise((resolve) => {
            onLast = resolve;
          });
          while (sent <= last) {
            if (processes.send(pid, sent)) sent++;
            else await processes.drained(pid);
          }
          await done;
        },
      };
    },
    async server() {
      const pid = await processes.start(Successor);
      return { call: (value) => processes.call(pid, value) };
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
    async supervised() {
      await supervisors.start({
        children: [{ id: "child", start: Child, name: "child" }],
        intensity: { restartsMax: 10_000_000, withinMs: 1 },
      });
      return {
        async restart() {
          const isBack = new Promise((resolve) => {
            Child.onStart = resolve;
          });
          processes.cast("child", "crash");
          await isBack;
          if ((await processes.call("child", 1)) !== 2) throw new Error("a wrong answer");
        },
      };
    },
  };
});
