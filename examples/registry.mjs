// Services find each other by name and by what they can do, and nobody finds one that has ended.
import { Foundation, GenServer } from "foundation-runtime";

class Greeter extends GenServer {
  handleCall(name) {
    return `hello, ${name}`;
  }
}

const node = await Foundation.start({ name: "office" });
const { processes } = node.beam;
const { processRegistry, serviceRegistry } = node;

const waiting = serviceRegistry.waitForService("office", "greeter");
const metadata = { capabilities: ["greet"], version: 2 };
const greeter = await processes.start(Greeter, {
  via: processRegistry.via("office", "greeter", { metadata }),
});
console.log((await waiting) === greeter, await processes.call(greeter, "ada"));

const [found] = processRegistry.find("office", { capabilities: "greet" });
console.log(found.name, found.metadata.version);

const check = async (pid) => (await processes.call(pid, "you")) === "hello, you";
await serviceRegistry.healthCheck("office", "greeter", { check, timeoutMs: 1_000 });
const { totalServices, healthyServices } = serviceRegistry.getServiceInfo("office");
console.log(`${healthyServices} of ${totalServices} healthy`);

await processes.stop(greeter);
console.log(processRegistry.lookup("office", "greeter"), processRegistry.stats().cleanups);
await node.leave();
