// A supervised chat room: whoever crashes comes back, and the others never notice.
import { Foundation, GenServer, isDown } from "foundation-runtime";

/** Passes what one member says on to the others. */
class Room extends GenServer {
  #members = new Map();

  handleCall({ join, name }) {
    this.#members.set(name, join);
    this.self.monitor(join);
    return [...this.#members.keys()];
  }

  handleCast({ say, name }) {
    for (const [other, pid] of this.#members) {
      if (other !== name) this.self.send(pid, `${name}: ${say}`);
    }
  }

  handleInfo(message) {
    if (!isDown(message)) return;
    for (const [name, pid] of this.#members) {
      if (pid.equals(message.pid)) this.#members.delete(name);
    }
  }
}

/** Somebody in the room, who writes down what the others say. */
class Member extends GenServer {
  #name = "";
  #heard = [];

  async init(name) {
    this.#name = name;
    await this.self.call("room", { join: this.self.pid, name });
  }

  handleCall() {
    return this.#heard;
  }

  handleCast(say) {
    if (say === "") throw new Error("nothing to say");
    this.self.cast("room", { say, name: this.#name });
  }

  handleInfo(line) {
    this.#heard.push(line);
  }
}

const node = await Foundation.start({ name: "chat" });
const { processes, supervisors } = node.beam;
const services = processes.list().length;
processes.on("crashed", ({ names, reason }) => console.log(`${names} crashed: ${reason.message}`));

const members = ["ada", "bob", "eve"].map((name) => {
  return { id: name, start: Member, args: [name], name };
});
const room = { id: "room", start: Room, name: "room" };
// Members need the room: when it is restarted, so are they.
const supervisor = await supervisors.start({
  strategy: "restForOne",
  children: [room, ...members],
});

processes.cast("ada", "hello");
await processes.call("bob", "heard");
processes.cast("eve", "");
await processes.exitOf(processes.whereis("eve"));
await supervisors.countChildren(supervisor); // answered once it has restarted her
await processes.call("eve", "heard"); // answered when she is back in the room
processes.cast("bob", "still here?");
while ((await processes.call("eve", "heard")).length < 1) await new Promise(setImmediate);
for (const name of ["ada", "bob", "eve"]) {
  console.log(`${name} heard:`, (await processes.call(name, "heard")).join(", "));
}
await supervisors.stop(supervisor);
console.log("processes left:", processes.list().length - services);
await node.leave();
