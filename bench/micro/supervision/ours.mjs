/** Ours: a supervisor of light processes through the public API. */

import { Foundation, GenServer } from "foundation-runtime";

import { answer, Counter, SIBLINGS } from "./ask.mjs";

/** Tells of each of its starts, and throws when it is told to. */
class Child extends GenServer {
  static onStart = () => {};
  static crashedAt = 0;
  init() {
    Child.onStart();
  }
  handleCall(value) {
    return value + 1;
  }
  handleCast() {
    Child.crashedAt = performance.now();
    throw new Error("as told");
  }
}

class Sibling extends GenServer {
  #counter = new Counter();
  handleInfo(message) {
    this.#counter.count(message);
  }
  handleCall() {
    return this.#counter;
  }
}

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { processes, supervisors } = node.beam;
  processes.on("crashed", () => {});
  const names = Array.from({ length: SIBLINGS }, (_, index) => `sibling ${index}`);
  await supervisors.start({
    children: [
      { id: "child", start: Child, name: "child" },
      ...names.map((name) => ({ id: name, start: Sibling, name })),
    ],
    intensity: { restartsMax: 10_000_000, withinMs: 1 },
  });
  const sendLater = async (sibling, message) => {
    do await processes.drained(names[sibling]);
    while (!processes.send(names[sibling], message));
  };
  return {
    async crash() {
      const isBack = new Promise((resolve) => {
        Child.onStart = resolve;
      });
      processes.cast("child", "crash");
      await isBack;
      return Child.crashedAt;
    },
    ask: (value) => processes.call("child", value),
    send(sibling, message) {
      return processes.send(names[sibling], message) ? undefined : sendLater(sibling, message);
    },
    counted: () => Promise.all(names.map((name) => processes.call(name, "count"))),
  };
});
