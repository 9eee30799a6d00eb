import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { FoundationNode } from "foundation-runtime";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ByHand } from "./by-hand.ts";
import { Scene, type Stranger } from "./hostile-scene.ts";
import { allReady, LocalNodes, within } from "./local-nodes.ts";
import { plainRelay, TcpProxy } from "./tcp-proxy.ts";

const MIB = 1 << 20;
/** Unauthenticated connections that a node holds. */
const STRANGERS_MAX = 256;
/** What the two messages of a stranger's handshake may hold on each of them. Unit: bytes. */
const STRANGER_BYTES_MAX = 64 << 10;
const HELD_BYTES_MAX = STRANGERS_MAX * STRANGER_BYTES_MAX;
const SECRET = "a secret of the cluster under attack";

let scene: Scene;
const nodes = new LocalNodes();
const servers: Server[] = [];
beforeAll(async () => {
  scene = await Scene.open({ secret: SECRET });
});
afterEach(async () => {
  await scene.clear();
  await nodes.leaveAll();
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => scene.close());

/** Somebody who listens, and does with a connection what he likes. */
async function listener(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusedAs(code: string): Promise<number> {
  return (await scene.victim.metrics()).handshakesFailed[code] ?? 0;
}

/** The first message of an honest handshake, by somebody who does not know the secret. */
const hello = (): Buffer =>
  new ByHand({ node: "stranger", cluster: "foundation", secret: "guessed by whoever came" }).hello;

/** Ways to be slow; the first one is made to drip. */
const SLOW: ((stranger: Stranger) => void)[] = [
  // Says nothing by itself.
  () => {},
  // Half a handshake, and no more: whoever opened it is gone, as far as anybody hears.
  ({ socket }) => socket.write(hello().subarray(0, 100)),
  // A whole first message, whose answer is never used.
  ({ socket }) => socket.write(hello()),
  // The same, by somebody who does not even read.
  ({ socket }) => socket.pause().write(hello()),
];

describe("256 strangers who are silent, slow or half-open", () => {
  test("are held, the rest make way, and twenty honest nodes join meanwhile", async () => {
    await scene.begin();
    const before = await refusedAs("too_many_connections");
    const strangers: Stranger[] = [];
    const arrive = async (): Promise<void> => {
      const stranger = await scene.stranger();
      SLOW[strangers.length % SLOW.length]?.(stranger);
      strangers.push(stranger);
    };
    while (strangers.length < STRANGERS_MAX) await arrive();
    await scene.expectCount((metrics) => metrics.strangers, STRANGERS_MAX);
    expect(await refusedAs("too_many_connections")).toBe(before);

    // One byte now and then keeps nobody: the deadline is that of the whole handshake.
    const message = hello();
    let dripped = -1;
    const drip = setInterval(() => {
      dripped++;
      for (const [index, { socket }] of strangers.entries()) {
        const isDripping = index < STRANGERS_MAX && index % SLOW.length === 0;
        if (isDripping && !socket.destroyed) socket.write(message.subarray(dripped, dripped + 1));
      }
    }, 100);
    try {
      const joining = Array.from({ length: 20 }, async (_, index) => {
        const node = await nodes.start({ name: `joiner-${index}`, secret: SECRET });
        expect(await node.join(scene.victim.address)).toBe("victim");
        await arrive(); // and strangers keep coming
        return node;
      });
      const joined: FoundationNode[] = await Promise.all(joining);
      await allReady(joined, joined.length + 2);
      for (const node of joined) {
        const echo = { node: "victim", name: "echo" };
        expect(await node.call(echo, node.name)).toBe(node.name);
      }
      // Whoever came first made way for whoever came later, and each was counted.
      await expect
        .poll(async () => refusedAs("too_many_connections"))
        .toBeGreaterThanOrEqual(before + 20);
      expect((await scene.victim.metrics()).strangers).toBeLessThanOrEqual(STRANGERS_MAX);
      await scene.expectCount((metrics) => metrics.strangers, 0);
    } finally {
      clearInterval(drip);
    }
    const { handshakesFailed } = await scene.victim.metrics();
    const refused = ["too_many_connections", "handshake_timeout", "connection_closed"]
      .map((code) => handshakesFailed[code] ?? 0)
      .reduce((sum, count) => sum + count, 0);
    expect(refused - before).toBeGreaterThanOrEqual(strangers.length);
    await scene.expectUnharmed(HELD_BYTES_MAX + 20 * MIB);
  });
});

describe("a handshake", () => {
  /** What both sides of an honest handshake with the victim said, up to the first message. */
  async function recorded(): Promise<{ dialler: Buffer; acceptor: Buffer }> {
    const said: { dialler: Buffer[]; acceptor: Buffer[] } = { dialler: [], acceptor: [] };
    const proxy = await TcpProxy.listen((from, to, isFromDialler) => {
      plainRelay(from, to, isFromDialler);
      const side = isFromDialler ? said.dialler : said.acceptor;
      from.on("data", (bytes: Buffer) => side.push(bytes));
    });
    proxy.forwardTo(scene.victim.address);
    const honest = await nodes.start({ name: "recorded", secret: SECRET });
    await honest.join(proxy.address);
    await honest.leave();
    await proxy.close();
    return { dialler: Buffer.concat(said.dialler), acceptor: Buffer.concat(said.acceptor) };
  }

  async function dialsFailed(code: string): Promise<number> {
    return (await scene.victim.metrics()).dialsFailed[code] ?? 0;
  }

  /** The victim is made to dial somebody, and that dial has to fail so. */
  async function expectFailedDial(code: string, serve: (socket: Socket) => void): Promise<void> {
    const before = await dialsFailed(code);
    const address = await listener(serve);
    await expect(scene.victim.join(address, 1_000)).rejects.toMatchObject({
      code: expect.stringMatching(/^(join_failed|auth_failed)$/),
    });
    expect(await dialsFailed(code)).toBeGreaterThan(before);
    // It stays a seed: from now on nobody is there.
    servers.pop()?.close();
  }

  test("that was recorded proves nothing when it is said again, whoever says it", async () => {
    await scene.begin();
    const { dialler, acceptor } = await recorded();
    const members = (await scene.victim.members()).length;
    const before = await refusedAs("auth_failed");
    const replays = 20;
    for (let replay = 0; replay < replays; replay++) {
      const stranger = await scene.stranger();
      stranger.socket.write(dialler);
      await within(stranger.closed, "the end of a replay");
    }
    expect(await refusedAs("auth_failed")).toBe(before + replays);
    // The other side's words, to a victim that dials.
    await expectFailedDial("protocol_violation", (socket) => {
      socket.once("data", () => socket.end(acceptor));
    });
    expect((await scene.victim.members()).length).toBe(members);
    await scene.expectUnharmed(MIB);
  });

  test("that is sent back to whoever began it is refused", async () => {
    await scene.begin();
    const members = (await scene.victim.members()).length;
    // Byte for byte, as a mirror does.
    await expectFailedDial("protocol_violation", (socket) => socket.pipe(socket));
    // To its own port, so that it would prove to itself what it asks of itself.
    const proxy = await TcpProxy.listen(plainRelay);
    proxy.forwardTo(scene.victim.address);
    const before = await dialsFailed("self_dial");
    await expect(scene.victim.join(proxy.address, 1_000)).rejects.toMatchObject({
      code: "join_failed",
    });
    expect(await dialsFailed("self_dial")).toBe(before + 1);
    await proxy.close();
    expect((await scene.victim.members()).length).toBe(members);
    await scene.expectUnharmed(MIB);
  });
});
