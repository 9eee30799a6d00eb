import type { FoundationNode } from "foundation-runtime";
import { Providers } from "foundation-runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allReady, LocalNodes } from "../local-nodes.ts";
import { endpoint, objectsFor, poisonFor, SELECTOR, slice } from "./kubernetes-objects.ts";
import { KubernetesServer, refuse } from "./kubernetes-server.ts";

/** One way in which a source goes wrong. */
interface Fault {
  readonly name: string;
  begin(): void;
  /** State of the source that shows that it went wrong. */
  readonly shows: RegExp;
  /** Ends it; all objects are put back besides. */
  end?(): void;
}

const PLURAL = "endpointslices";
const nodes = new LocalNodes();
const downs: string[] = [];
let server: KubernetesServer;
let members: readonly FoundationNode[];
let looking: FoundationNode;

const publish = (addresses: readonly string[]): void => {
  server.replace(PLURAL, objectsFor("endpointSlices", addresses));
};
const fail = (code: number): void => {
  server.failing = code;
  server.endWatches();
};
const mend = (): void => {
  server.failing = undefined;
};
const sound = /healthy/;

const FAULTS: readonly Fault[] = [
  { name: "it is down", begin: () => fail(503), shows: /failing/, end: mend },
  { name: "it forbids", begin: () => fail(403), shows: /failing/, end: mend },
  {
    name: "the token has expired",
    begin: () => {
      server.token = "second";
      server.endWatches();
    },
    shows: /failing/,
    end: () => {
      server.token = "first";
    },
  },
  {
    name: "it forgot what was asked for (410)",
    begin: () => {
      server.next((_, response) => refuse(response, 410, "too old resource version"));
      server.endWatches();
    },
    shows: sound,
  },
  {
    name: "it takes requests and answers none",
    begin: () => {
      server.isHanging = true;
      server.endWatches();
    },
    shows: /failing/,
    end: () => {
      server.isHanging = false;
    },
  },
  {
    name: "it answers half",
    begin: () => {
      server.failing = 503;
      server.next((_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"kind":"EndpointSliceList","items":[{"metadata":{"na');
        response.destroy();
      });
      server.endWatches();
    },
    shows: /failing/,
    end: mend,
  },
  { name: "it is empty", begin: () => server.replace(PLURAL, []), shows: /empty/ },
  {
    name: "it lies",
    begin: () => publish(["127.0.0.1:9", "127.0.0.2:9", "169.254.169.254:80"]),
    shows: sound,
  },
  {
    name: "it flaps",
    begin: () => {
      for (let turn = 0; turn < 10; turn += 1) {
        server.replace(PLURAL, []);
        publish(members.map(({ address }) => address));
      }
    },
    shows: sound,
  },
  {
    name: "it answers 10,000 that are none",
    begin: () => {
      const all = Array.from({ length: 10_000 }, (_, at) =>
        endpoint(`127.9.${at >> 8}.${at & 255}`),
      );
      server.replace(PLURAL, [slice("web-0", all, [{ name: "cluster", port: 9 }])]);
    },
    shows: sound,
  },
  {
    name: "its entries have odd bytes",
    begin: () => server.replace(PLURAL, poisonFor("endpointSlices")),
    shows: /empty|healthy|failing/,
  },
];

beforeAll(async () => {
  server = await KubernetesServer.start();
  const first = await nodes.start({ name: "first", cluster: "unharmed" });
  const second = await nodes.start({ name: "second", cluster: "unharmed", seeds: [first.address] });
  members = [first, second];
  publish(members.map(({ address }) => address));
  const { master, account } = server;
  const provider = Providers.kubernetes({
    master,
    serviceAccountPath: account,
    selector: SELECTOR,
    port: "cluster",
    timeoutMs: 500,
  });
  // The grace is as good as none: only the failure detector's word keeps the members.
  const discovery = { sources: [provider], graceMs: 1 };
  looking = await nodes.start({ name: "looking", cluster: "unharmed", discovery });
  await allReady([...members, looking], 3);
  for (const node of [...members, looking]) node.on("down", ({ name }) => downs.push(name));
});

afterAll(async () => {
  await nodes.leaveAll();
  await server.close();
});

function sourceState(): string {
  return looking.distributed.discovery.status().sources[0]?.state ?? "";
}

function answers(): number {
  return looking.distributed.discovery.status().sources[0]?.answers ?? 0;
}

/** Waits until discovery has heard the source after what was just done. */
async function heard(state: RegExp, before: number): Promise<void> {
  const isHeard = (): boolean =>
    state.test(sourceState()) && (sourceState() === "failing" || answers() > before);
  await expect.poll(isHeard, { timeout: 30_000, interval: 20 }).toBe(true);
}

describe("no source takes a cluster apart, whatever goes wrong with it", () => {
  test.each(FAULTS)("$name", async ({ begin, shows, end }) => {
    const before = answers();
    begin();
    await heard(shows, before);
    expect(looking.members()).toHaveLength(3);
    end?.();
    const between = answers();
    server.endWatches();
    publish([]);
    publish(members.map(({ address }) => address));
    await heard(sound, between);
    expect(looking.members()).toHaveLength(3);
    for (const node of members) expect(node.members()).toHaveLength(3);
    expect(downs).toEqual([]);
  });

  test("and afterwards a new node is found by it as ever", async () => {
    const third = await nodes.start({ name: "third", cluster: "unharmed" });
    publish([...members, third].map(({ address }) => address));
    await allReady([...members, third, looking], 4);
    expect(downs).toEqual([]);
  });
});
