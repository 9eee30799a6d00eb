import type { Socket } from "node:net";
import { Foundation, type FoundationNode } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, nextEvent } from "./local-nodes.ts";
import { plainRelay, type Relay, TcpProxy } from "./tcp-proxy.ts";

const SECRET = "a secret of the sealed links, long enough";
const MARK = "words that nobody on the way may read";

const nodes = new LocalNodes();
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await nodes.leaveAll();
  for (const proxy of proxies.splice(0)) await proxy.close();
});

/** Two nodes with a proxy between them; `near` dialled `far`. */
async function linked(
  relay: Relay,
  options: { encrypt?: boolean } = { encrypt: true },
): Promise<{ near: FoundationNode; far: FoundationNode; got: unknown[] }> {
  const proxy = await TcpProxy.listen(relay);
  proxies.push(proxy);
  const far = await nodes.start({ name: "far", secret: SECRET, ...options });
  proxy.forwardTo(far.address);
  const near = await nodes.start({ name: "near", secret: SECRET });
  const got: unknown[] = [];
  far.handle("sink", (message) => {
    got.push(message);
  });
  far.handle("echo", (message) => message);
  await near.join(proxy.address);
  return { near, far, got };
}

/** Counts bytes of the link's first connection, and lets the test touch those to `far`. */
class Wire {
  readonly heard: Buffer[] = [];
  /** What becomes of the next bytes from the dialler; forgotten after use. */
  next: ((bytes: Buffer, to: Socket) => void) | undefined;

  readonly relay: Relay = (from, to, isFromDialler) => {
    from.on("data", (bytes: Buffer) => {
      this.heard.push(Buffer.from(bytes));
      const change = isFromDialler ? this.next : undefined;
      if (change === undefined) {
        to.write(bytes);
        return;
      }
      this.next = undefined;
      change(bytes, to);
    });
  };
}

describe("a sealed link", () => {
  test("carries messages of every size, and shows none of them", async () => {
    const wire = new Wire();
    const { near, far } = await linked(wire.relay);
    const to = { node: "far", name: "echo" };
    expect(await near.call(to, MARK)).toBe(MARK);
    const large = Buffer.alloc(3 << 20, MARK);
    const back = (await near.call(to, large)) as Uint8Array;
    expect(Buffer.compare(back, large)).toBe(0);
    expect(Buffer.concat(wire.heard).includes(MARK)).toBe(false);
    for (const node of [near, far]) {
      expect(node.metrics()).toMatchObject({ sealFailures: 0, peers: [{ isSealed: true }] });
    }
  });

  test("is not made on loopback unless it is asked for", async () => {
    const wire = new Wire();
    const { near } = await linked(wire.relay, {});
    expect(await near.call({ node: "far", name: "echo" }, MARK)).toBe(MARK);
    expect(Buffer.concat(wire.heard).includes(MARK)).toBe(true);
    expect(near.metrics().peers).toMatchObject([{ isSealed: false }]);
  });

  test.each([
    ["changed", (bytes: Buffer) => [Buffer.from(bytes.map((b, at) => (at === 9 ? b ^ 1 : b)))]],
    ["repeated", (bytes: Buffer) => [bytes, bytes]],
    ["left out", () => []],
  ])("ends when a record is %s, and is made anew", async (_, change) => {
    const wire = new Wire();
    const { near, far, got } = await linked(wire.relay);
    const to = { node: "far", name: "sink" };
    const down = nextEvent(far, "down");
    wire.next = (bytes, socket) => {
      for (const part of change(bytes)) socket.write(part);
    };
    near.send(to, "touched");
    await expect.poll(() => wire.next).toBeUndefined();
    near.send(to, "behind it");
    expect(await down).toMatchObject({ name: "near", reason: "record_broken" });
    expect(far.metrics().sealFailures).toBe(1);
    // A record that was repeated has been delivered once; nothing else of this got through.
    expect(got.filter((message) => message === "behind it")).toEqual([]);
    expect(got.length).toBeLessThanOrEqual(1);
    await near.awaitReady({ minimumMembers: 2 });
    await expect
      .poll(async () => near.call({ node: "far", name: "echo" }, 1).catch(() => 0))
      .toBe(1);
  });

  test("ends when records change places", async () => {
    const wire = new Wire();
    const { near, far, got } = await linked(wire.relay);
    const to = { node: "far", name: "sink" };
    const down = nextEvent(far, "down");
    wire.next = (first) => {
      wire.next = (second, socket) => socket.write(Buffer.concat([second, first]));
    };
    near.send(to, "first");
    const heard = wire.heard.length;
    await expect.poll(() => wire.heard.length).toBeGreaterThan(heard);
    near.send(to, "second");
    expect(await down).toMatchObject({ reason: "record_broken" });
    expect(got).toEqual([]);
  });

  test("that is cut inside a record says so", async () => {
    const wire = new Wire();
    const { near, far, got } = await linked(wire.relay);
    const down = nextEvent(far, "down");
    wire.next = (bytes, socket) => socket.end(bytes.subarray(0, bytes.length - 1));
    near.send({ node: "far", name: "sink" }, "half");
    expect(await down).toMatchObject({ reason: "record_cut_short" });
    expect(got).toEqual([]);
  });

  test("of a handshake that is repeated is refused", async () => {
    const said: Buffer[] = [];
    const { far } = await linked((from, to, isFromDialler) => {
      plainRelay(from, to, isFromDialler);
      if (isFromDialler) from.on("data", (bytes: Buffer) => said.push(bytes));
    });
    const again = await TcpProxy.listen((_, to, isFromDialler) => {
      if (isFromDialler) to.write(Buffer.concat(said));
    });
    proxies.push(again);
    again.forwardTo(far.address);
    const stranger = await Foundation.start({ name: "stranger" });
    void stranger.join(again.address, { timeoutMs: 500 }).catch(() => {});
    await expect.poll(() => far.metrics().handshakesFailed).toMatchObject({ auth_failed: 1 });
    await stranger.leave({ drainMs: 0 });
  });
});

test("isolates that do their own input and output seal it too", async () => {
  const sealed = { secret: SECRET, encrypt: true, io: "isolate" } as const;
  const host = await nodes.start({ name: "host", ...sealed });
  const guest = await nodes.start({ name: "guest", ...sealed, seeds: [host.address] });
  await guest.awaitReady({ minimumMembers: 2 });
  host.handle("echo", (message) => message);
  const large = new Uint8Array(1 << 20).fill(7);
  expect(await guest.call({ node: "host", name: "echo" }, large)).toEqual(large);
  expect(host.metrics()).toMatchObject({ sealFailures: 0, peers: [{ isSealed: true }] });
});

test("a node that is open to the network seals its links without being told to", async () => {
  const open = await nodes.start({ name: "open", listen: "0.0.0.0:0", secret: SECRET });
  const guest = await nodes.start({
    name: "guest",
    secret: SECRET,
    channels: { wide: { lanes: 3 } },
  });
  await guest.join(`127.0.0.1:${open.address.split(":")[1]}`);
  open.handle("echo", (message) => message);
  const to = { node: "open", name: "echo" };
  expect(await guest.call(to, 1)).toBe(1);
  expect(await guest.call(to, 2, { channel: "wide" })).toBe(2);
  expect(open.metrics().peers).toMatchObject([{ isSealed: true, lanes: 2 }]);
  const stranger = await nodes.start({ name: "stranger" });
  const join = stranger.join(`127.0.0.1:${open.address.split(":")[1]}`);
  await expect(join).rejects.toMatchObject({ code: "auth_failed" });
});
