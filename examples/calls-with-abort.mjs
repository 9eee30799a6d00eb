// How a call can end: with an answer, with the handler's error, because nobody has the name,
// because time is up, or because the caller lost interest. Errors are told apart by `code`.
import { attempt, Foundation } from "foundation-runtime";

const client = await Foundation.start({ name: "client" });
const server = await Foundation.start({ name: "server", seeds: [client.address] });
await client.awaitReady({ minimumMembers: 2 });

server.handle("divide", ({ dividend, divisor }) => {
  if (divisor === 0) throw new RangeError("division by zero");
  return dividend / divisor;
});
server.handle("never", () => new Promise(() => {}));

async function show(title, call) {
  const outcome = await attempt(call);
  const text = outcome.ok ? outcome.value : `${outcome.error.code}: ${outcome.error.message}`;
  console.log(`${title}: ${text}`);
}

const divide = { node: "server", name: "divide" };
const never = { node: "server", name: "never" };
await show("answer", () => client.call(divide, { dividend: 84, divisor: 2 }));
await show("handler's error", () => client.call(divide, { dividend: 84, divisor: 0 }));
await show("no such name", () => client.call({ node: "server", name: "multiply" }));
await show("no such node", () => client.call({ node: "stranger", name: "divide" }));
await show("too late", () => client.call(never, undefined, { timeoutMs: 50 }));

const controller = new AbortController();
const call = show("aborted", () =>
  client.call(never, undefined, { signal: controller.signal, timeoutMs: 5_000 }),
);
controller.abort();
await call;

await server.leave();
await client.leave();
