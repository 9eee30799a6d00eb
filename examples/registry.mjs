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

const waiting = serviceRegistry.waitForService("production", "greeter");
const metadata = { capabilities: ["greet"], version: 2 };
const greeter = await processes.start(Greeter, {
  via: processRegistry.via("production", "greeter", { metadata }),
});
console.log((await waiting) === greeter, await processes.call(greeter, "ada"));

const [found] = processRegistry.find("production", { capabilities: "greet" });
console.log(found.name, found.metadata.version);

const check = async (pid) => (await processes.call(pid, "you")) === "hello, you";
await serviceRegistry.healthCheck("production", "greeter", { check, timeoutMs: 1_000 });
const { totalServices, healthyServices } = serviceRegistry.getServiceInfo("production");
console.log(`${healthyServices} of ${totalServices} healthy`);

await processes.stop(greeter);
console.log(processRegistry.lookup("production", "greeter"), processRegistry.stats().cleanups);
await node.leave();
