import type { Socket } from "node:net";
import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes } from "./local-nodes.ts";
import { printedRandom, type SeededRandom } from "./seeded-random.ts";
import { type Relay, TcpProxy } from "./tcp-proxy.ts";

const nodes = new LocalNodes();
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await nodes.leaveAll();
  await Promise.all(proxies.splice(0).map(async (proxy) => proxy.close()));
});

/** Passes bytes on in pieces of the given sizes, one piece in each turn of the event loop. */
function inPieces(nextSize: () => number): Relay {
  return (from: Socket, to: Socket) => {
    const waiting: Buffer[] = [];
    const step = (): void => {
      const bytes = waiting[0];
      if (bytes === undefined || to.destroyed) return;
      const piece = bytes.subarray(0, nextSize());
      if (piece.length < bytes.length) waiting[0] = bytes.subarray(piece.length);
      else waiting.shift();
      // The write is over before the next one begins, so that the system cannot join them unread.
      to.write(piece, () => setImmediate(step));
    };
    from.on("data", (bytes: Buffer) => {
      waiting.push(bytes);
      if (waiting.length === 1) setImmediate(step);
    });
  };
}

async function pairThrough(relay: Relay): Promise<[FoundationNode, FoundationNode]> {
  const proxy = await TcpProxy.listen(relay);
  proxies.push(proxy);
  // Neither end may take the pieces for silence.
  const patient = {
    heartbeatMs: 10_000,
    silentAfterMs: 60_000,
    secret: "a secret that is known to both",
  };
  const near = await nodes.start({ ...patient, name: "near" });
  proxy.forwardTo(near.address);
  const far = await nodes.start({ ...patient, name: "far", seeds: [proxy.address] });
  await allReady([near, far], 2);
  return [near, far];
}

async function expectEchoes(
  from: FoundationNode,
  to: FoundationNode,
  sizes: readonly number[],
  random: SeededRandom,
): Promise<void> {
  to.handle("echo", (message) => message);
  for (const size of sizes) {
    const message = random.bytes(size);
    const options = { timeoutMs: 30_000 };
    const answer = await from.call({ node: to.name, name: "echo" }, message, options);
    expect(Buffer.compare(answer as Uint8Array, message), `${size} bytes`).toBe(0);
  }
  expect(to.metrics().links).toMatchObject({ payloadCrcFailures: 0, framesSkipped: 0 });
}

describe("a handshake and messages arrive whole", () => {
  test("through a connection that carries one byte at a time", async () => {
    const random = printedRandom("one byte at a time");
    const [near, far] = await pairThrough(inPieces(() => 1));
    await expectEchoes(far, near, [0, 1, 2, 63, 64, 65, 1_000], random);
    await expectEchoes(near, far, [0, 1, 15, 16, 17, 4_096], random);
    near.handle("table", (message) => message);
    const value = { list: [1, "two", null, { three: 3n }], at: "ü" };
    expect(await far.call({ node: "near", name: "table" }, value)).toEqual(value);
  });

  test("through a connection that cuts anywhere", async () => {
    const random = printedRandom("random pieces");
    const [near, far] = await pairThrough(inPieces(() => random.between(1, 9_000)));
    await expectEchoes(far, near, [0, 1, 100, 32_767, 32_768, 32_769, 300_000], random);
    await expectEchoes(near, far, [2_000_000, 5, 70_000], random);
  });
});
