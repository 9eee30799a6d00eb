// The shared memory of a process is used up by messages that are held, and comes back with them.
import { release } from "../../dist/ts/index.js";
import { core, expectNothingLeft, until } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { startNodes } from "./harness/traffic.mjs";

const OPTIONS = { arenaBytesMax: 16 << 20, ringBytes: 64 << 10, messageBytesMax: 1 << 20 };
const REFUSALS = new Set(["arena_exhausted", "remote_exhausted"]);

/** Calls with large messages until one is refused for want of memory; answers with its code. */
async function exhaust(peer) {
  const to = { node: "home", name: "hold" };
  for (let sent = 0; sent < 64; sent += 1) {
    const call = peer.call(to, new Uint8Array(900_000), { timeoutMs: 20_000 });
    const code = await call.then(() => undefined).catch((error) => error.code);
    if (code !== undefined) return code;
  }
  return "none";
}

async function run({ cycles, progress, expect }) {
  const [home, peer] = await startNodes(["home", "peer"], { ...OPTIONS, receiveBytesMax: 2 << 20 });
  let held = [];
  home.handle("hold", (message) => void held.push(message), { bytes: "held" });
  home.handle("small", (message) => message);
  const codes = {};
  const idleBytes = core.boundaryCounters().arenaBytes;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const code = await exhaust(peer);
    codes[code] = (codes[code] ?? 0) + 1;
    expect(REFUSALS.has(code), `cycle ${cycle}: the refusal was ${code}`);
    const answer = await peer.call({ node: "home", name: "small" }, cycle, { timeoutMs: 20_000 });
    expect(answer === cycle, `cycle ${cycle}: a small call was answered with ${answer}`);
    for (const message of held) release(message);
    held = [];
    const isBack = await until(() => core.boundaryCounters().arenaBytes === idleBytes);
    expect(isBack, `cycle ${cycle}: ${core.boundaryCounters().arenaBytes} bytes are in use`);
    if (cycle % 20 === 0) progress(`${cycle} of ${cycles}`);
  }
  await Promise.all([home.leave(), peer.leave()]);
  await expectNothingLeft(expect);
  return codes;
}

const title = "an arena that is used up refuses, and recovers when memory comes back";
await prove({ title, cycles: { full: 100, short: 5 }, run });
