// A child of one node lives on another, and moves when that one leaves.
import { Foundation, GenServer } from "foundation-runtime";

class Greeter extends GenServer {
  handleCall(name) {
    return `${name}, from ${this.self.pid.node}`;
  }
}

const home = await Foundation.start({ name: "home" });
const hosts = [];
for (const name of ["east", "west"]) {
  const host = await Foundation.start({ name, seeds: [home.address] });
  // Code never travels: a node offers by name what others may start there.
  host.beam.processes.offer("greeter", () => Greeter);
  hosts.push(host);
}
await home.awaitReady({ minimumMembers: 3 });

const { processes, supervisors } = home.beam;
let greeter;
let moved = () => {};
const placeGreeter = async () => {
  const others = home.members().filter(({ self, state }) => !self && state === "up");
  greeter = await processes.spawnOn(others[0].name, "greeter");
  moved();
  return greeter;
};
await supervisors.start({ children: [{ id: "greeter", startWith: placeGreeter }] });
console.log(await processes.call(greeter, "hello"));

const first = hosts.find(({ name }) => name === greeter.node);
const next = new Promise((resolve) => {
  moved = resolve;
});
await first.leave();
await next;
const second = hosts.find(({ name }) => name === greeter.node);
console.log(second === first ? "it did not move" : await processes.call(greeter, "hello again"));
await Promise.all([second.leave(), home.leave()]);
