import { FoundationError, type FoundationNode } from "foundation-runtime";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BODY, control } from "./by-hand.ts";
import { Scene } from "./hostile-scene.ts";
import { LocalNodes, within } from "./local-nodes.ts";

const MIB = 1 << 20;
/** Names that the victim takes from all peers together. */
const PEER_NAMES_MAX = 49_152;
const CHANNELS_MAX = 64;
/** What a name may cost its table, three times over: map, list, link. Unit: bytes. */
const NAME_BYTES_MAX = 512;
/** Names that mean something to objects. */
const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

let scene: Scene;
const nodes = new LocalNodes();
beforeAll(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await nodes.leaveAll();
  await scene.clear();
});
afterAll(async () => scene.close());

/** Members that do not exist, as a member by hand tells of them. */
function membersFrame(names: readonly string[], address: string): Buffer {
  return control(BODY.members, (builder) => {
    const tables = names.map((name) => {
      const texts = [name, address].map((text) => builder.createString(text));
      builder.startObject(4);
      builder.addFieldOffset(0, texts[0]!, 0);
      builder.addFieldOffset(1, texts[1]!, 0);
      builder.addFieldInt64(2, 1n, 0n);
      builder.addFieldInt64(3, 1n, 0n);
      return builder.endObject();
    });
    builder.startVector(4, tables.length, 4);
    for (const table of tables.reverse()) builder.addOffset(table);
    const list = builder.endVector();
    builder.startObject(1);
    builder.addFieldOffset(0, list, 0);
    return builder.endObject();
  });
}

describe("a name that means something to objects", () => {
  test("is a name like any other: of a node, a channel, a handler, a message's key", async () => {
    await scene.begin();
    const channels = Object.fromEntries(NAMES.map((name) => [name, { monotonic: true }]));
    // A literal would set the prototype: only a defined property is a channel of that name.
    Object.defineProperty(channels, "__proto__", {
      value: { monotonic: true },
      enumerable: true,
    });
    for (const name of NAMES) await scene.victim.handle(name, "note");
    for (const name of NAMES) {
      const attacker = await nodes.start({ name, channels });
      attacker.handle(name, (message: unknown) => [message, name]);
      expect(await attacker.join(scene.address)).toBe("victim");
      const to = { node: "victim", name };
      expect(attacker.send(to, name, { channel: name, key: name })).toBe(true);
      const said = async (): Promise<unknown> => (await scene.victim.notes(name)).at(-1);
      await expect.poll(said).toMatchObject({ from: name, channel: name, text: `"${name}"` });
      expect(await scene.victim.call({ node: name, name }, name)).toEqual([name, name]);
      const known = (await scene.victim.members()).map((member) => member.name);
      expect(known).toContain(name);
      const { peers } = await scene.victim.metrics();
      expect(peers.map((peer) => peer.node)).toContain(name);
      await attacker.leave();
    }
    const counted = Object.keys((await scene.victim.metrics()).channels);
    expect(counted).toEqual(expect.arrayContaining(NAMES));
    expect(await scene.victim.pollution()).toEqual([]);
    await scene.expectUnharmed(MIB);
  });

  test("is nobody's handler, and nobody's member, because somebody says it", async () => {
    await scene.begin();
    const before = await scene.victim.metrics();
    const hand = await scene.hand(["default", ...NAMES]);
    const nobody = NAMES.map((name) => `${name}.nobody`).concat(
      "isPrototypeOf",
      "__defineGetter__",
    );
    for (const [id, name] of nobody.entries()) {
      await hand.bind(id, name);
      await hand.send(hand.to(id, { sequence: id }), Buffer.from("to nobody"));
    }
    await scene.expectCount(
      ({ links }) => links["noProcess"]! - before.links["noProcess"]!,
      nobody.length,
    );
    // Nobody listens there: whoever is told of is dialled, and never a member.
    const told = NAMES.map((name) => `${name}.told`).concat("isPrototypeOf");
    await hand.write(membersFrame(told, "127.0.0.1:1"));
    await hand.write(membersFrame(NAMES, "__proto__"));
    await scene.expectCount(({ badAddresses }) => badAddresses - before.badAddresses, NAMES.length);
    const refused = async (): Promise<number> =>
      (await scene.victim.metrics()).dialsFailed["connection_refused"] ?? 0;
    await expect.poll(refused).toBeGreaterThanOrEqual(told.length);
    const members = (await scene.victim.members()).map((member) => member.name);
    expect(members.toSorted()).toEqual([hand.name, "honest", "victim"].toSorted());
    expect(await scene.victim.pollution()).toEqual([]);
    await scene.expectUnharmed(MIB);
  });
});

test("200,000 names of real peers are refused beyond the bound, and counted", async () => {
  await scene.begin();
  const before = await scene.victim.metrics();
  const names = 200_000;
  const flooders: FoundationNode[] = [];
  for (let index = 0; index < 4; index++) {
    const flooder = await nodes.start({ name: `flooder-${index}` });
    await flooder.join(scene.address);
    flooders.push(flooder);
  }
  const flood = async (node: FoundationNode): Promise<void> => {
    for (let number = 0; number < names / flooders.length; number++) {
      const to = { node: "victim", name: `${node.name} has another name, number ${number}` };
      while (!node.send(to, number)) await node.drained({ to: "victim", timeoutMs: 60_000 });
    }
  };
  await Promise.all(flooders.map(flood));
  const since = (count: string) => (metrics: typeof before) =>
    metrics.links[count]! - before.links[count]!;
  await scene.expectCount(since("noProcess"), names);
  const taken = names - since("namesRefused")(await scene.victim.metrics());
  // Some of the bound had been used up by the tests before.
  expect(taken).toBeLessThanOrEqual(PEER_NAMES_MAX);
  expect(taken).toBeGreaterThan(PEER_NAMES_MAX - 100);
  // What is refused takes no room from the victim's own names, nor from messages to them.
  await scene.victim.handle("registered late", "echo");
  const late = { node: "victim", name: "registered late" };
  expect(await flooders[0]!.call(late, "heard")).toBe("heard");
  // A node that invents names without end is told so itself.
  const inventive = (): void => {
    for (let number = 0; number < 70_000; number++) {
      flooders[0]!.send({ node: "victim", name: `${number} is one too many` }, null);
    }
  };
  expect(inventive).toThrow(expect.objectContaining({ code: "name_refused" }));
  expect(inventive).toThrow(FoundationError);
  await scene.expectUnharmed(PEER_NAMES_MAX * NAME_BYTES_MAX);
});

test("channels without end are received as far as there are numbers, and counted", async () => {
  await scene.begin();
  await scene.victim.handle("sink", "note");
  const before = await scene.victim.metrics();
  const hands = 20;
  const each = 20;
  let isUnknown = 0;
  for (let index = 0; index < hands; index++) {
    const channels = Array.from({ length: each }, (_, number) => `channel-${index}-${number}`);
    const hand = await scene.hand(channels);
    await hand.bind(0, "sink");
    await hand.send(hand.to(0, { channel: each - 1 }), Buffer.from("a message"));
    const taken = async (): Promise<number> => {
      const { links } = await scene.victim.metrics();
      isUnknown = links["unknownChannel"]! - before.links["unknownChannel"]!;
      return isUnknown + (await scene.victim.notes("sink")).length;
    };
    await expect.poll(taken).toBe(index + 1);
  }
  expect(isUnknown).toBeGreaterThan(hands - CHANNELS_MAX / each - 1);
  const { channels } = await scene.victim.metrics();
  expect(Object.keys(channels).length).toBe(CHANNELS_MAX);
  await scene.expectUnharmed(MIB);
});

describe("of two live nodes of one name", () => {
  test("the newer is refused, both are told, and the older goes on unharmed", async () => {
    await scene.begin();
    const older = await scene.processes.start("twin", { seeds: [scene.address] });
    await scene.victim.ready(3);
    await older.handle("who", "echo");
    const { life } = older;
    const before = await scene.victim.metrics();
    const told = [scene.victim, older].map((node) => node.nextEvent("refused", "twin"));
    const newer = await scene.processes.start("twin");
    await expect(newer.join(scene.address)).rejects.toMatchObject({ code: "duplicate_node" });
    for (const event of await Promise.all(told)) {
      expect(event).toEqual({ code: "duplicate_node", name: "twin" });
    }
    // It goes on trying, since the older one might go: that changes nothing.
    const refused = async (): Promise<number> =>
      (await scene.victim.metrics()).handshakesFailed["duplicate_node"] ?? 0;
    await expect.poll(refused).toBeGreaterThanOrEqual(2);
    const member = (await scene.victim.members()).find(({ name }) => name === "twin");
    expect(member).toMatchObject({ life, state: "up" });
    expect(await scene.victim.call({ node: "twin", name: "who" }, "the older")).toBe("the older");
    const { linksLost } = await scene.victim.metrics();
    expect(linksLost).toBe(before.linksLost);
    await scene.expectUnharmed(MIB);
    // The older one goes, and the newer one takes its place.
    const up = scene.victim.nextEvent("up", "twin");
    await older.leave(0);
    expect(await within(up, "the newer twin")).toMatchObject({ life: newer.life });
    await newer.leave(0);
  });
});
