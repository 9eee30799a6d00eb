// What Partisan 5.0.3 is known to do wrong with channels and overlays, and what does not happen
// here; the numbers are those of the table in docs/overlays.md.
import type { FoundationNode, FoundationStartOptions } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes, nextEventOf, SOON_MS } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const CHANNELS = { bulk: { lanes: 2 }, news: { priority: 0 } } as const;
const MESH = { data: { strategy: "fullMesh" } } as const;

/** What a node tells of another one and of its channels, in order. */
function newsOf(node: FoundationNode, other: string): string[] {
  const news: string[] = [];
  for (const event of ["up", "down"] as const) {
    node.on(event, ({ name }) => {
      if (name === other) news.push(event);
    });
  }
  for (const event of ["channelUp", "channelDown"] as const) {
    node.on(event, ({ name, channel }) => {
      if (name === other) news.push(`${event} ${channel}`);
    });
  }
  return news;
}

describe.each([
  ["of its own links", {}],
  ["of a full mesh of overlays", { overlays: MESH }],
] as const)("a node %s", (_, options: FoundationStartOptions) => {
  test("#3: hears that each channel of a peer is up, and that it is down", async () => {
    const here = await nodes.start({ ...options, name: "here", channels: CHANNELS });
    const news = newsOf(here, "there");
    const there = await nodes.start({
      ...options,
      ...{ name: "there", channels: CHANNELS, seeds: [here.address] },
    });
    await allReady([here, there], 2);
    const names = ["bulk", "default", "news"];
    const ups = ["up", ...names.map((name) => `channelUp ${name}`)];
    await expect.poll(() => [...news].sort(), { timeout: SOON_MS }).toEqual(ups.sort());
    expect(news[0]).toBe("up");
    const before = news.length;
    const down = nextEventOf(here, "down", "there");
    await there.leave();
    await down;
    const downs = ["down", ...names.map((name) => `channelDown ${name}`)];
    await expect.poll(() => news.slice(before).sort(), { timeout: SOON_MS }).toEqual(downs.sort());
  });
});

test("#7: members of a full mesh that cannot dial each other are relayed to", async () => {
  const options = { cluster: "cut-mesh", overlays: MESH } as const;
  const { left, right } = await nodes.startApart(options);
  const got: unknown[] = [];
  right.handle("echo", (message, { from }) => {
    got.push(message);
    return `${String(message)} of ${from}`;
  });
  const to = { node: "right", name: "echo" };
  for (let at = 0; at < 50; at++) expect(left.send(to, at)).toBe(true);
  expect(await left.call(to, "asked")).toBe("asked of left");
  expect(got).toEqual([...Array.from({ length: 50 }, (_, at) => at), "asked"]);
  const linked = left.topologySnapshot().members.filter(({ isLinked }) => isLinked);
  expect(linked.map(({ name }) => name)).toEqual(["middle"]);
});

test("#20: nine nodes that join partial views at once through one contact are one", async () => {
  const options = { cluster: "nine", overlays: { data: { strategy: "hyparview" } } } as const;
  const contact = await nodes.start({ ...options, name: "node-0" });
  const others = Array.from({ length: 8 }, async (_, at) => {
    return nodes.start({ ...options, name: `node-${at + 1}`, seeds: [contact.address] });
  });
  const all = [contact, ...(await Promise.all(others))];
  await allReady(all, 9);
  const reached = (): number => {
    const seen = new Set(["node-0"]);
    for (const name of seen) {
      const node = all.find((it) => it.name === name);
      const neighbours = node?.topologySnapshot().overlays[0]?.neighbours ?? [];
      for (const neighbour of neighbours) seen.add(neighbour.name);
    }
    return seen.size;
  };
  await expect.poll(reached, { timeout: SOON_MS }).toBe(9);
});
