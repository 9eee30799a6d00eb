import { Foundation, GenServer } from "foundation-runtime";

class Counter extends GenServer {
  #count = 0;
  handleCall = ({ by }) => (this.#count += by);
}
const node = await Foundation.start({ name: "shop" });
const { processes, supervisors } = node.beam;
processes.on("crashed", ({ label, reason }) => console.log(label, "crashed:", reason.name));
const children = [{ id: "counter", start: Counter, name: "counter" }];
const supervisor = await supervisors.start({ children });

console.log(await processes.call("counter", { by: 2 }), await processes.call("counter", { by: 3 }));
console.log(await processes.call("counter", null).catch(({ code }) => code));
await supervisors.countChildren(supervisor); // answered once it has restarted who has ended
console.log(await processes.call("counter", { by: 1 })); // a new one, which counts from nothing
await node.leave();
