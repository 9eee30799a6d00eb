import { describe, expect, test } from "vitest";
import { isNeighbours, type Neighbours, type Pid, type Topology } from "../../dist/ts/index.js";
import { EcosystemScene } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

/** An ecosystem whose workers remember whom they were told of last. */
async function start(topology: Topology, count: number) {
  const scene = new EcosystemScene();
  const told = new Map<string, Neighbours>();
  let messages = 0;
  const pid = await scene.spawn({
    topology,
    workers: {
      count,
      start: (message: unknown, self) => {
        if (!isNeighbours(message)) return self.exit("broken");
        messages++;
        told.set(`${self.pid}`, message);
      },
    },
    coordinator: { attemptsMax: 1 },
  });
  await settled();
  const pids = (): string[] => scene.ecosystems.listWorkers(pid).map((info) => `${info.pid}`);
  const texts = (list: readonly Pid[] = []): string[] => list.map(String);
  return { scene, pid, told, pids, texts, sent: () => messages };
}

describe("workers that are told of each other", () => {
  test("form a ring that closes around a dead one and opens for the next", async () => {
    const { scene, pid, told, pids, texts, sent } = await start("ring", 4);
    const isRing = (): void => {
      const ring = pids();
      for (const [index, worker] of ring.entries()) {
        const { upstream, downstream } = told.get(worker) as Neighbours;
        expect(texts(upstream)).toEqual([ring.at(index - 1)]);
        expect(texts(downstream)).toEqual([ring[(index + 1) % ring.length]]);
      }
    };
    isRing();
    expect(sent()).toBe(4);
    expect([...told.values()][0]?.ecosystem.equals(pid)).toBe(true);
    const before = pids();
    await scene.processes.call(pid, "end").catch(() => {});
    await settled();
    expect(pids()).not.toEqual(before);
    isRing();
    await scene.ecosystems.removeWorker(pid, "worker-3");
    await settled();
    expect(pids()).toHaveLength(3);
    isRing();
    await scene.ecosystems.addWorker(pid);
    await settled();
    expect(pids()).toHaveLength(4);
    isRing();
  });

  test("close the ring before the dead one is started again", async () => {
    const { scene, pid, told, pids, texts } = await start("ring", 3);
    const [first, second, third] = pids() as [string, string, string];
    const { workers } = scene.ecosystems.ecosystemInfo(pid);
    const seen: string[][] = [];
    const set = told.set.bind(told);
    told.set = (worker, message) => {
      if (worker === first) seen.push(texts(message.all));
      return set(worker, message);
    };
    scene.processes.exit(workers[1]?.pid as Pid, "kill");
    await settled();
    const again = pids()[1] as string;
    expect(again).not.toBe(second);
    expect(texts(told.get(first)?.all)).toEqual([third, again]);
    expect(seen.at(-1)).toEqual([third, again]);
    for (const all of seen) expect(all).not.toContain(second);
  });

  test("form a mesh", async () => {
    const { told, pids, texts } = await start("mesh", 4);
    for (const worker of pids()) {
      expect(texts(told.get(worker)?.all)).toEqual(pids().filter((other) => other !== worker));
    }
  });

  test("form a tree of two children each", async () => {
    const { told, pids, texts } = await start("tree", 6);
    const at = (index: number): Neighbours => told.get(pids()[index] as string) as Neighbours;
    expect([0, 1, 2, 5].map((index) => texts(at(index).upstream))).toEqual([
      [],
      [pids()[0]],
      [pids()[0]],
      [pids()[2]],
    ]);
    expect([0, 1, 2, 5].map((index) => texts(at(index).downstream))).toEqual([
      pids().slice(1, 3),
      pids().slice(3, 5),
      pids().slice(5),
      [],
    ]);
  });

  test("hear nothing in a star", async () => {
    const { sent } = await start("star", 3);
    expect(sent()).toBe(0);
  });
});
