import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FaultyNetwork, networkAbsence } from "../network/network.mjs";
import { until } from "./faulty-cluster.ts";

const DATAGRAMS = fileURLToPath(new URL("./fixtures/datagrams.mjs", import.meta.url));
const ABANDONED = fileURLToPath(new URL("./fixtures/abandoned-network.mjs", import.meta.url));
const COUNT = 2_000;
const run = promisify(execFile);

const children: ChildProcess[] = [];
const networks: FaultyNetwork[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(networks.splice(0).map(async (network) => network.close()));
});

async function open(nodes: number, seed: number): Promise<FaultyNetwork> {
  const network = await FaultyNetwork.open({ nodes, seed });
  networks.push(network);
  return network;
}

/** A program where a node is, and what it answers. */
function startAt(
  network: FaultyNetwork,
  at: number,
): (task: string, ...parameters: unknown[]) => Promise<unknown> {
  const [execPath = "", ...words] = network.within(at);
  const child = fork(DATAGRAMS, { execPath, execArgv: [...words, process.execPath] });
  children.push(child);
  return async (task, ...parameters) => {
    const answered = once(child, "message");
    child.send({ task, parameters });
    return (await answered)[0];
  };
}

/** Sends numbered datagrams from node 0 to node 1; resolves with those that came, in order. */
async function sendDatagrams(network: FaultyNetwork): Promise<number[]> {
  const [sender, receiver] = [startAt(network, 0), startAt(network, 1)];
  await receiver("listen", network.addressOf(1));
  await sender("send", network.addressOf(1), COUNT);
  let arrived: number[] = [];
  await until(
    async () => {
      arrived = (await receiver("arrived")) as number[];
      const [way] = (await network.census()).directions;
      if (way === undefined) throw new Error("no direction");
      const { frames, lost, duplicated, sent } = way;
      // None is held any more, and none is on its way.
      return frames === COUNT && sent === frames - lost + duplicated && arrived.length === sent;
    },
    () => `all that was sent, but ${arrived.length} arrived`,
  );
  return arrived;
}

async function namespaces(): Promise<string> {
  return (await run("ip", ["netns", "list"])).stdout;
}

describe("a network with faults", () => {
  test("passes every datagram once where there is no fault, in either direction", async () => {
    const network = await open(3, 1);
    const arrived = await sendDatagrams(network);
    expect(arrived).toEqual(Array.from({ length: COUNT }, (_, number) => number));
    const { directions, refused, missed } = await network.census();
    expect({ refused, missed }).toEqual({ refused: 0, missed: 0 });
    expect(directions.map(({ from, to }) => `${from}${to}`).join()).toBe("01,02,10,12,20,21");
    // The first one goes to all, for nobody knows yet where its receiver is.
    expect(directions.map(({ frames }) => frames)).toEqual([COUNT, COUNT, 0, 0, 0, 0]);
  });

  test("loses and doubles the same datagrams for the same seed, others for another", async () => {
    const runs = await Promise.all(
      [7, 7, 8].map(async (seed) => {
        const network = await open(2, seed);
        await network.everywhere({ loss: 0.1, duplicate: 0.1 });
        return sendDatagrams(network);
      }),
    );
    const [first = [], again, other] = runs;
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(new Set(first).size).toBeLessThan(COUNT);
    expect(first.length).toBeGreaterThan(new Set(first).size);
  });

  test("reorders where it is told to, and cuts one direction alone", async () => {
    const network = await open(2, 3);
    await network.everywhere({ reorder: 0.1, holdMs: 20 });
    const arrived = await sendDatagrams(network);
    expect(arrived).not.toEqual(arrived.toSorted((left, right) => left - right));
    expect(new Set(arrived).size).toBe(COUNT);
    await network.direct([0], [1], { cut: true });
    const [sender, receiver] = [startAt(network, 0), startAt(network, 1)];
    await sender("listen", network.addressOf(0));
    await sender("send", network.addressOf(1), 100);
    await receiver("send", network.addressOf(0), 100);
    await until(
      async () => ((await sender("arrived")) as number[]).length === 100,
      () => "a hundred datagrams against the cut",
    );
    expect((await network.census()).directions.map(({ cut }) => cut)).toEqual([100, 0]);
  });

  test("refuses rules that mean nothing", async () => {
    const network = await open(2, 1);
    await expect(network.everywhere({ loss: 2 })).rejects.toThrow("loss is no probability: 2");
    await expect(network.everywhere({ jitterMs: 1 })).rejects.toThrow("jitter exceeds delay");
    await expect(network.direct([0], [2], {})).rejects.toThrow("no such port: 2");
    const unknown = { lost: 1 } as Record<string, number>;
    await expect(network.everywhere(unknown)).rejects.toThrow("no rule is called 'lost'");
    await network.heal();
  });

  test("leaves nothing behind, also where its program was killed", async () => {
    const child = fork(ABANDONED, { execArgv: [] });
    children.push(child);
    const [name] = (await once(child, "message")) as [string];
    expect(await namespaces()).toContain(name);
    child.kill("SIGKILL");
    await once(child, "exit");
    await open(2, 1);
    expect(await namespaces()).not.toContain(name);
    await networks.pop()?.close();
    expect(await namespaces()).not.toContain(`-${process.pid}-`);
  });

  test("says in one line what it lacks", async () => {
    const user = vi.spyOn(process, "getuid").mockReturnValue(1000);
    try {
      expect(networkAbsence()).toBe("network namespaces need root");
      await expect(FaultyNetwork.open({ nodes: 2 })).rejects.toThrow(
        /^network namespaces need root$/,
      );
    } finally {
      user.mockRestore();
    }
    vi.stubEnv("PATH", "");
    expect(networkAbsence()).toMatch(/^missing for network namespaces: ip, ethtool, cargo \(.*\)$/);
    vi.unstubAllEnvs();
  });
});
