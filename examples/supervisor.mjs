import { Foundation } from "foundation-runtime";

const node = await Foundation.start({ name: "party" });
const { processes, supervisors } = node.beam;
const greeter = (name) => `hello, ${name.trim()}`; // ends by what is no text
const top = await supervisors.start({ children: [{ id: "g", start: greeter, name: "greeter" }] });
processes.on("crashed", ({ label, reason }) => console.log(`${label} crashed: ${reason.name}`));
const greet = (name) => processes.call("greeter", name).catch(({ code }) => code);
console.log(await greet("ann"), "-", await greet(null));
console.log((await supervisors.countChildren(top)).running, "runs again:", await greet("eve"));
await node.leave();
