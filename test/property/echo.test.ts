import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { Foundation, type FoundationNode, release } from "../../dist/ts/index.js";

const SEED = 715_225_739;
/** The smallest ring there is, so that every path of a full ring is taken. */
const RING_BYTES = 16 << 10;

const started: FoundationNode[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.leave({ drainMs: 100 })));
});

async function startPair(): Promise<[FoundationNode, FoundationNode]> {
  const home = await Foundation.start({ name: "home", ringBytes: RING_BYTES });
  started.push(home);
  const options = { name: "peer", ringBytes: RING_BYTES, seeds: [home.address] };
  const peer = await Foundation.start(options);
  started.push(peer);
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
  return [home, peer];
}

/** Random numbers that come again with their seed: xorshift32. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Mostly small; at times as large as the ring takes, and at times larger than any ring: a slab. */
function randomBytes(random: (below: number) => number): number {
  const kind = random(400);
  if (kind === 0) return (16 << 10) + 1 + random(64 << 10);
  if (kind < 10) return random(16 << 10);
  return random(256);
}

function checksumOf(bytes: Uint8Array): number {
  let sum = bytes.length;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

async function sendAll(
  node: FoundationNode,
  to: { node: string; name: string },
  messages: Iterable<Uint8Array>,
): Promise<void> {
  for (const message of messages) {
    while (!node.send(to, message)) await node.drained({ to: to.node, timeoutMs: 20_000 });
  }
}

function* randomMessages(count: number, sums: number[]): Generator<Uint8Array> {
  const random = randoms(SEED);
  const memory = new Uint8Array(128 << 10);
  for (let index = 0; index < count; index++) {
    const message = memory.subarray(0, randomBytes(random));
    // A pattern that moves with the index: neighbours and earlier contents never look the same.
    for (let at = 0; at < message.length; at++) message[at] = (at * 13 + index * 7) & 0xff;
    sums.push(checksumOf(message));
    yield message;
  }
}

test.each(["copy", "view"] as const)(
  "100,000 messages of random sizes come back whole and in order (bytes: %s)",
  async (bytes) => {
    process.stdout.write(`echo: seed ${SEED}\n`);
    const count = 100_000;
    const [home, peer] = await startPair();
    const sent: number[] = [];
    const back: number[] = [];
    const finished = new EventTarget();
    const isFinished = once(finished, "all", { signal: AbortSignal.timeout(50_000) });
    // What the echo has still to send back, in order; while it is long, the handlers do not settle.
    let sending: Promise<void> = Promise.resolve();
    const echoed = { pending: 0 };
    peer.handle<Uint8Array>(
      "echo",
      (message) => {
        const to = { node: "home", name: "back" };
        const isIdle = echoed.pending === 0;
        if (isIdle && peer.send(to, message)) return void release(message);
        const kept = message.slice();
        release(message);
        echoed.pending++;
        sending = sending.then(async () => {
          await sendAll(peer, to, [kept]);
          echoed.pending--;
        });
        return bytes === "view" ? undefined : sending;
      },
      { bytes },
    );
    home.handle<Uint8Array>(
      "back",
      (message) => {
        back.push(checksumOf(message));
        release(message);
        if (back.length === count) finished.dispatchEvent(new Event("all"));
      },
      { bytes },
    );
    await sendAll(home, { node: "peer", name: "echo" }, randomMessages(count, sent));
    await isFinished;
    expect(back).toEqual(sent);
    const { slabs, corruptRings, staleSlabs, unknownRecords } = home.metrics();
    expect({ corruptRings, staleSlabs, unknownRecords, live: slabs["live"] }).toEqual({
      corruptRings: 0,
      staleSlabs: 0,
      unknownRecords: 0,
      live: 0,
    });
  },
);
