import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Scene } from "./hostile-scene.ts";
import type { NodeProcess } from "./node-process.ts";
import { printedRandom, type SeededRandom } from "./seeded-random.ts";
import { type Relay, TcpProxy } from "./tcp-proxy.ts";

const MIB = 1 << 20;
/** One bit in this many bytes is another one on arrival. */
const PERIOD_BYTES = 1_000;
/** What the receiver has to see before a run is over: a sealed record is lost as a whole. */
const LOSSES_MIN = 5;
const MESSAGES_MIN = Object.freeze({ plain: 20, sealed: 3 });

let scene: Scene | undefined;
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await scene?.close();
  await Promise.all(proxies.splice(0).map(async (proxy) => proxy.close()));
});

/** A wire that flips one bit of every thousandth byte of a direction, over all connections. */
class BadWire {
  isBad = true;
  flipped = 0;
  readonly #passed = { fromDialler: 0, toDialler: 0 };
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  readonly relay: Relay = (from, to, isFromDialler) => {
    const direction = isFromDialler ? "fromDialler" : "toDialler";
    from.on("data", (bytes: Buffer) => {
      to.write(this.isBad ? this.#damage(bytes, direction) : bytes);
    });
  };

  #damage(bytes: Buffer, direction: "fromDialler" | "toDialler"): Buffer {
    const first = PERIOD_BYTES - 1 - (this.#passed[direction] % PERIOD_BYTES);
    for (let at = first; at < bytes.length; at += PERIOD_BYTES) {
      bytes[at]! ^= 1 << this.#random.below(8);
      this.flipped++;
    }
    this.#passed[direction] += bytes.length;
    return bytes;
  }
}

/** An address with a port that was free a moment ago. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

/** A place to listen at behind the wire. */
async function behind(wire: BadWire): Promise<{ listen: string; advertise: string }> {
  const listen = await freeAddress();
  const proxy = await TcpProxy.listen(wire.relay);
  proxies.push(proxy);
  proxy.forwardTo(listen);
  return { listen, advertise: proxy.address };
}

describe("a flipped bit in every thousandth byte", () => {
  test.each([
    ["a plain link", {}],
    ["a sealed link", { secret: "a secret of the links on a bad wire", encrypt: true }],
  ])("on %s: nothing wrong is taken, and it comes back each time", async (_, security) => {
    const wire = new BadWire(printedRandom("bits flipped on the way"));
    const isSealed = "secret" in security;
    const place = await behind(wire);
    scene = await Scene.open(security, place);
    const { victim } = scene;
    await victim.handle("sink", "ascending");
    await scene.begin();
    const before = await victim.metrics();
    const sender: NodeProcess = await scene.processes.start("sender", {
      ...security,
      ...(await behind(wire)),
      seeds: [place.advertise],
    });
    await sender.startScatter("victim", "sink");
    const lost = async (): Promise<number> => (await victim.metrics()).linksLost - before.linksLost;
    const seen = async () => victim.seen("sink");
    const found = async (): Promise<number> => {
      const { links, sealFailures } = await victim.metrics();
      return isSealed ? sealFailures : links["payloadCrcFailures"]!;
    };
    await expect.poll(lost, { timeout: 60_000 }).toBeGreaterThanOrEqual(LOSSES_MIN);
    await expect.poll(found, { timeout: 60_000 }).toBeGreaterThan(0);
    await expect
      .poll(async () => (await seen()).messages, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(isSealed ? MESSAGES_MIN.sealed : MESSAGES_MIN.plain);
    wire.isBad = false;
    const { messages } = await seen();
    // What comes over a good wire comes over the link that was made last.
    await expect
      .poll(async () => (await seen()).messages, { timeout: 30_000 })
      .toBeGreaterThan(messages + 100);
    const scattered = await sender.stopScatter();
    expect(await seen()).toMatchObject({ damaged: 0, misordered: 0 });
    expect(scattered).toMatchObject({ wrong: 0 });
    expect(scattered.answered).toBeGreaterThan(0);

    const { linksEnded, links, sealFailures } = await victim.metrics();
    const broken = ["record_broken", "record_length", "record_cut_short"].map(
      (code) => linksEnded[code] ?? 0,
    );
    if (isSealed) {
      // A seal is looked at before anything inside of it: no checksum has found anything.
      expect(sealFailures).toBeGreaterThanOrEqual(broken[0]! + broken[1]!);
      expect(sealFailures).toBeGreaterThan(0);
      expect(links["payloadCrcFailures"]).toBe(0);
      expect(linksEnded["header_crc"] ?? 0).toBe(0);
    } else {
      expect(links["payloadCrcFailures"]).toBeGreaterThan(0);
      expect(sealFailures).toBe(0);
    }
    expect(wire.flipped).toBeGreaterThan(LOSSES_MIN);
    await scene.expectUnharmed(4 * MIB);
  });
});
