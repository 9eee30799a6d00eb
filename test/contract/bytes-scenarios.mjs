// What becomes of byte messages after their handler returned, each scenario in a process of its
// own: `node --expose-gc bytes-scenarios.mjs NAME`. Prints what it found as JSON.
import { setImmediate as turn } from "node:timers/promises";
import { Foundation, release } from "../../dist/ts/index.js";

const COLLECTION_DEADLINE_MS = 20_000;
const LARGE_BYTES = 1 << 20;
/** Slab bytes that an isolate holds as views before it copies. */
const HELD_BYTES_MAX = 64 << 20;

const [, , name] = process.argv;

async function startPair() {
  const home = await Foundation.start({ name: "home", windowBytes: 1 << 20 });
  const peer = await Foundation.start({ name: "peer", seeds: [home.address] });
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
  return { home, peer };
}

const codeOf = (call) => {
  try {
    return String(call());
  } catch (error) {
    return error.name;
  }
};

const scenarios = {
  // With NODE_ENV=development a view that is kept shows at once: its memory is detached.
  async keptView() {
    const { home, peer } = await startPair();
    const inside = [];
    const kept = [];
    home.handle(
      "view",
      (message) => {
        inside.push([...message]);
        kept.push(message);
      },
      { bytes: "view" },
    );
    await peer.call({ node: "home", name: "view" }, new Uint8Array([1, 2, 3]));
    const after = { length: kept[0].length, isShared: kept[0].buffer instanceof SharedArrayBuffer };
    await Promise.all([home.leave(), peer.leave()]);
    return { inside, after };
  },

  // Nobody releases: the collector gives the slabs back.
  async collected() {
    const { home, peer } = await startPair();
    let heard = 0;
    const count = (message) => {
      heard += message.length;
    };
    home.handle("large", count, { bytes: "held" });
    for (let index = 0; index < 16; index += 1) {
      await peer.call({ node: "home", name: "large" }, new Uint8Array(LARGE_BYTES));
    }
    const live = home.metrics().slabs.live;
    const deadlineMs = performance.now() + COLLECTION_DEADLINE_MS;
    while (home.metrics().slabs.live > 0 && performance.now() < deadlineMs) {
      globalThis.gc();
      await turn();
    }
    const found = { heard, hadLive: live > 0, live: home.metrics().slabs.live };
    await Promise.all([home.leave(), peer.leave()]);
    return found;
  },

  // More is held than the isolate may hold in the arena: what follows is copied, nothing is lost.
  async heldByTheHundred() {
    const { home, peer } = await startPair();
    const held = [];
    home.handle("large", (message) => void held.push(message), { bytes: "held" });
    const count = 80;
    for (let index = 0; index < count; index += 1) {
      const message = new Uint8Array(LARGE_BYTES).fill(index);
      await peer.call({ node: "home", name: "large" }, message, { timeoutMs: 20_000 });
    }
    const isShared = (message) => message.buffer instanceof SharedArrayBuffer;
    const { slabs, isolate } = home.metrics();
    const found = {
      views: held.filter(isShared).length,
      others: held.filter((message) => !isShared(message)).length,
      areWhole: held.every((message, index) => message.every((byte) => byte === index)),
      live: slabs.live,
      copies: isolate.copies,
      copiedBytes: isolate.copiedBytes,
      released: held.filter((message) => release(message)).length,
      liveAfter: home.metrics().slabs.live,
    };
    // Room again: the next message is a view again.
    await peer.call({ node: "home", name: "large" }, new Uint8Array(LARGE_BYTES));
    found.isViewAgain = isShared(held.at(-1));
    await Promise.all([home.leave(), peer.leave()]);
    return { ...found, expectedViews: HELD_BYTES_MAX / LARGE_BYTES, count };
  },

  // A view outlives its node: its memory is the arena, which stays as long as the process.
  async heldBeyondLeave() {
    const { home, peer } = await startPair();
    let kept;
    const keep = (message) => {
      kept = message;
    };
    home.handle("large", keep, { bytes: "held" });
    await peer.call({ node: "home", name: "large" }, new Uint8Array(LARGE_BYTES).fill(5));
    await Promise.all([home.leave(), peer.leave()]);
    return { length: kept.length, released: codeOf(() => release(kept)) };
  },
};

process.stdout.write(`${JSON.stringify(await scenarios[name]())}\n`);
