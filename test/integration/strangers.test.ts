import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, within } from "./local-nodes.ts";
import { printedRandom } from "./seeded-random.ts";
import { plainRelay, TcpProxy } from "./tcp-proxy.ts";

const nodes = new LocalNodes();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await nodes.leaveAll();
});

/** How long a handshake may take before the node closes the connection. Unit: ms. */
const HANDSHAKE_MS = 5_000;

/** A connection to a node, with a promise of its end. */
async function visit(node: FoundationNode): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect({ port: Number(node.address.split(":")[1]), host: "127.0.0.1" });
  sockets.push(socket);
  socket.on("error", () => {}); // a reset is as good an end as any
  socket.resume();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  return { socket, closed };
}

/** The failed handshakes of a node, whatever the reason. */
function failures(node: FoundationNode): number {
  return Object.values(node.metrics().handshakesFailed).reduce((sum, count) => sum + count, 0);
}

/** What a dialling node says first. */
async function recordHello(): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const dialled = once(server, "connection") as Promise<[Socket]>;
  const seeds = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  const dialler = await nodes.start({ name: "dialler", seeds });
  const [socket] = await dialled;
  const [hello] = (await once(socket, "data")) as [Buffer];
  await dialler.leave({ drainMs: 0 });
  socket.destroy();
  server.close();
  return hello;
}

async function expectHonestJoin(node: FoundationNode): Promise<void> {
  const guest = await nodes.start({ name: "guest" });
  expect(await guest.join(node.address)).toBe(node.name);
  node.handle("echo", (message) => message);
  expect(await guest.call({ node: node.name, name: "echo" }, "still here")).toBe("still here");
}

const HTTP = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
const TLS_HELLO = [0x16, 0x03, 0x01, 0x00, 0xa5, 0x01, 0x00, 0x00, 0xa1, 0x03, 0x03];
const HUGE_LENGTH = [0xff, 0xff, 0xff, 0xff];
/** A header of the right shape whose frame would be just longer than a handshake's may be. */
const TOO_LONG = [0x11, 0x08, 0x00, 0x00, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const TOO_SHORT = [0x01, 0x00, 0x00, 0x00, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

describe("garbage on the port", () => {
  test.each([
    ["an HTTP request", "frame_too_large", Buffer.from(HTTP)],
    ["a TLS hello", "frame_too_large", Buffer.from(TLS_HELLO)],
    ["a huge length", "frame_too_large", Buffer.from(HUGE_LENGTH)],
    ["a length above a handshake's", "frame_too_large", Buffer.from(TOO_LONG)],
    ["a length below the header's", "frame_too_short", Buffer.from(TOO_SHORT)],
    ["zeros", "header_too_short", Buffer.alloc(4_096)],
  ])("%s is refused at once as %s", async (_, code, bytes) => {
    const node = await nodes.start({ name: "host" });
    const { socket, closed } = await visit(node);
    socket.write(bytes);
    await within(closed, "the end of the connection", 2_000);
    expect(node.metrics().handshakesFailed).toEqual({ [code]: 1 });
    await expectHonestJoin(node);
  });

  test("random bytes are refused, each time with a counter", async () => {
    const random = printedRandom("random bytes on the port");
    const node = await nodes.start({ name: "host" });
    const visitors = 50;
    for (let index = 0; index < visitors; index++) {
      const { socket, closed } = await visit(node);
      socket.end(random.bytes(random.between(1, 5_000)));
      await within(closed, "the end of the connection");
    }
    await expect.poll(() => failures(node)).toBe(visitors);
    await expectHonestJoin(node);
  });

  test("a connection that closes at once is counted", async () => {
    const node = await nodes.start({ name: "host" });
    (await visit(node)).socket.end();
    (await visit(node)).socket.resetAndDestroy();
    await expect.poll(() => failures(node)).toBe(2);
    expect(node.metrics().handshakesFailed).toMatchObject({
      connection_closed: expect.any(Number),
    });
    await expectHonestJoin(node);
  });
});

describe("a handshake", () => {
  test("that stops half-way is given up in time, and keeps nobody else waiting", async () => {
    const hello = await recordHello();
    const node = await nodes.start({ name: "host" });
    const half = await visit(node);
    half.socket.write(hello.subarray(0, hello.length >> 1));
    const whole = await visit(node);
    whole.socket.write(hello);
    await expectHonestJoin(node);
    const ends = Promise.all([half.closed, whole.closed]);
    await within(ends, "the end of both connections", HANDSHAKE_MS + 2_000);
    expect(node.metrics().handshakesFailed).toEqual({ handshake_timeout: 2 });
  });

  test("whose hello is damaged in any one bit is refused", async () => {
    const random = printedRandom("a damaged hello");
    const hello = await recordHello();
    const node = await nodes.start({ name: "host" });
    const visitors = 64;
    for (let index = 0; index < visitors; index++) {
      const damaged = Buffer.from(hello);
      const at = index < 16 ? index : random.below(hello.length);
      damaged[at]! ^= 1 << random.below(8);
      const { socket, closed } = await visit(node);
      socket.end(damaged);
      await within(closed, "the end of the connection");
    }
    await expect.poll(() => failures(node)).toBe(visitors);
    expect(node.metrics().handshakesFailed).not.toHaveProperty("auth_failed");
    await expectHonestJoin(node);
  });

  test("that repeats what an honest dialler said before is no proof", async () => {
    const said: Buffer[] = [];
    const proxy = await TcpProxy.listen((from, to, isFromDialler) => {
      plainRelay(from, to, isFromDialler);
      if (isFromDialler) from.on("data", (bytes: Buffer) => said.push(bytes));
    });
    const secret = "a secret that is known to both";
    const node = await nodes.start({ name: "host", secret });
    proxy.forwardTo(node.address);
    const honest = await nodes.start({ name: "honest", secret });
    await honest.join(proxy.address);
    await honest.leave();
    await proxy.close();
    const { socket, closed } = await visit(node);
    socket.write(Buffer.concat(said));
    await within(closed, "the end of the connection");
    expect(node.metrics().handshakesFailed).toEqual({ auth_failed: 1 });
    expect(node.members()).toHaveLength(1);
  });
});

test("of 300 silent connections 256 are held, the oldest make way, honest ones join", async () => {
  const node = await nodes.start({ name: "host" });
  let closedCount = 0;
  const ends: Promise<unknown>[] = [];
  for (let index = 0; index < 300; index++) {
    const { closed } = await visit(node);
    ends.push(closed.then(() => closedCount++));
  }
  await within(Promise.all(ends.slice(0, 44)), "the end of the oldest", 2_000);
  expect(closedCount).toBe(44);
  expect(node.metrics()).toMatchObject({
    strangers: 256,
    handshakesFailed: { too_many_connections: 44 },
  });
  await expectHonestJoin(node);
  expect(closedCount).toBe(45);
  await within(Promise.all(ends), "the end of all silent connections", HANDSHAKE_MS + 2_000);
  expect(node.metrics()).toMatchObject({
    strangers: 0,
    handshakesFailed: { handshake_timeout: 255, too_many_connections: 45 },
  });
});
