import { type ChildProcess, execFile, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Candidate, GossipOptions, MdnsOptions } from "foundation-runtime";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { FaultyNetwork } from "../network/network.mjs";
import { until } from "./faulty-cluster.ts";

const NODE = fileURLToPath(new URL("./fixtures/multicast-node.mjs", import.meta.url));
const SECRET = "a secret of these tests";
const run = promisify(execFile);

let network: FaultyNetwork;
beforeAll(async () => {
  network = await FaultyNetwork.open({ nodes: 4 });
});
afterAll(async () => {
  await network?.close();
});

const nodes: MulticastNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) node.end();
  await network.heal();
});

interface Report {
  readonly candidates?: readonly Candidate[];
  readonly failure?: string;
  readonly notes: Readonly<Record<string, number>>;
}

/** A provider, and what it is made with. */
type What =
  | { readonly kind: "gossip"; readonly options: GossipOptions }
  | { readonly kind: "mdns"; readonly options: MdnsOptions };

/** A provider in a namespace of its own. */
class MulticastNode {
  readonly heard = new Set<string>();
  notes: Report["notes"] = {};
  failure: string | undefined;
  readonly #child: ChildProcess;

  constructor(at: number, { kind, options }: What, cluster: string) {
    const [execPath = "", ...words] = network.within(at);
    this.#child = fork(NODE, { execPath, execArgv: [...words, process.execPath] });
    const host = network.addressOf(at);
    const self = { name: `node-${at}`, cluster, address: `${host}:7000`, host, port: 7000 };
    this.#child.on("message", ({ candidates, failure, notes }: Report) => {
      for (const { address } of candidates ?? []) this.heard.add(address);
      this.failure ??= failure;
      this.notes = notes;
    });
    this.#child.send({ kind, options: { interfaceAddress: host, ...options }, self });
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

function start(at: number, what: What, cluster = "shop"): MulticastNode {
  const node = new MulticastNode(at, what, cluster);
  nodes.push(node);
  return node;
}

const gossip = (options: GossipOptions = { secret: SECRET }): What => ({
  kind: "gossip",
  options: { intervalMs: 100, ...options },
});
const MDNS: What = { kind: "mdns", options: { pollMs: 1_000 } };

const addresses = (...places: number[]) => places.map((at) => `${network.addressOf(at)}:7000`);

async function hears(node: MulticastNode, ...places: number[]): Promise<void> {
  const wanted = addresses(...places).sort();
  const said = () => `${wanted}, but heard ${[...node.heard]} (${node.failure ?? "no failure"})`;
  await until(async () => wanted.every((address) => node.heard.has(address)), said);
}

/** Three, of whom two are cut off from each other, and then all hear all though half is lost. */
async function heardAgainAfterACut(what: What): Promise<readonly MulticastNode[]> {
  await network.between([0], [1], { cut: true });
  const members = [0, 1, 2].map((at) => start(at, what));
  await hears(members[2]!, 0, 1);
  await hears(members[0]!, 2);
  expect([...members[0]!.heard, ...members[1]!.heard].sort()).not.toContain(addresses(0)[0]);
  await network.everywhere({ loss: 0.5, duplicate: 0.5 });
  await hears(members[0]!, 1, 2);
  await hears(members[1]!, 0, 2);
  return members;
}

describe("gossip between machines", () => {
  test("all hear each other, and nobody a stranger or another cluster", async () => {
    const members = [0, 1, 2].map((at) => start(at, gossip()));
    await hears(members[0]!, 1, 2);
    await hears(members[1]!, 0, 2);
    await hears(members[2]!, 0, 1);
    const stranger = start(3, gossip({ secret: "another secret of tests" }));
    await until(
      async () => members.every(({ notes }) => (notes["forged"] ?? 0) > 0),
      () => "that the stranger is refused by all",
    );
    stranger.end();
    const neighbour = start(3, gossip(), "bank");
    await until(
      async () => members.every(({ notes }) => (notes["otherCluster"] ?? 0) > 0),
      () => "that the other cluster is told from the own one",
    );
    expect([...neighbour.heard]).toEqual([]);
    for (const { heard } of members) expect(heard).not.toContain(addresses(3)[0]);
    expect((await network.census()).directions.every(({ frames }) => frames > 0)).toBe(true);
  });

  test.each([
    ["plain", { format: "libcluster" }],
    ["with a secret", { format: "libcluster", secret: "somepassword" }],
  ] as const)("as libcluster's, %s", async (_, options) => {
    const [one, other] = [start(0, gossip(options)), start(1, gossip(options))];
    await hears(one!, 1);
    await hears(other!, 0);
  });

  test("who was cut off is heard again, also through a network that loses half", async () => {
    const members = await heardAgainAfterACut(gossip());
    await until(
      async () => members.every(({ notes }) => (notes["replayed"] ?? 0) > 0),
      () => "that heartbeats that come twice count once",
    );
  });

  test("an interface that goes down is an error, and the next run is heard", async () => {
    const [lost, other] = [start(0, gossip()), start(1, gossip())];
    await hears(lost!, 1);
    const [ip = "", ...words] = network.within(0);
    await run(ip, [...words, "ip", "link", "set", "eth0", "down"]);
    await until(
      async () => lost!.failure !== undefined,
      () => "an error",
    );
    expect(lost!.failure).toBe("discovery_failed");
    await run(ip, [...words, "ip", "link", "set", "eth0", "up"]);
    other!.heard.clear();
    const again = start(0, gossip());
    await hears(again, 1);
    await hears(other!, 0);
  });
});

describe("multicast DNS between machines", () => {
  test("all hear each other, and nobody another cluster", async () => {
    const members = [0, 1, 2].map((at) => start(at, MDNS));
    const stranger = start(3, MDNS, "bank");
    await hears(members[0]!, 1, 2);
    await hears(members[1]!, 0, 2);
    await hears(members[2]!, 0, 1);
    await until(
      async () => members.every(({ notes }) => (notes["otherCluster"] ?? 0) > 0),
      () => "that the other cluster is told from the own one",
    );
    expect([...stranger.heard]).toEqual([]);
    for (const { heard } of members) expect(heard).not.toContain(addresses(3)[0]);
  });

  test("who was cut off is heard again, also through a network that loses half", async () => {
    await heardAgainAfterACut(MDNS);
  });
});
