import { afterEach, describe, expect, test, vi } from "vitest";
import { GenServer, isNeighbours, type Pid } from "../../dist/ts/index.js";
import { EcosystemScene, Gates } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("an ecosystem that shuts down", () => {
  test("takes neither messages nor casts any more, and says so", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { ecosystems, processes } = scene;
    const e = await scene.spawn({ workers: { start: gates.server(), count: 1 } });
    const first = processes.call(e, "a");
    await settled();
    const over = ecosystems.shutdownEcosystem(e, { graceMs: Number.POSITIVE_INFINITY });
    expect(processes.send(e, "b")).toBe(false);
    expect(processes.cast(e, "c")).toBe(false);
    await expect(processes.call(e, "d")).rejects.toMatchObject({ code: "ecosystem_closing" });
    // Who waits for room waits for its end, and does not turn in a circle until then.
    let isRoom = false;
    const drained = processes.drained(e).then(() => {
      isRoom = true;
    });
    await settled();
    expect(isRoom).toBe(false);
    gates.open("a");
    await Promise.all([first, over, drained]);
    expect(gates.begun).toEqual(["a"]);
    await expect(processes.call(e, "e")).rejects.toMatchObject({ code: "noproc" });
    expect(scene.runtime.counts.toNobody).toBe(0);
    expect(processes.send(e, "f")).toBe(true); // as to anybody who is gone: counted
    expect(scene.runtime.counts.toNobody).toBe(1);
  });

  test("does so too while it is being stopped", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { processes } = scene;
    const e = await scene.spawn({ workers: { start: gates.server(), count: 1 } });
    const first = processes.call(e, "a");
    await settled();
    const stopped = processes.stop(e);
    await settled();
    expect(processes.send(e, "b")).toBe(false);
    gates.open("a");
    await Promise.all([first, stopped]);
    expect(processes.list()).toEqual([]);
  });
});

test("a worker with a full mailbox is told of its neighbours once it has room", async () => {
  const scene = new EcosystemScene();
  const told = new Map<string, number>();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const e = await scene.spawn({
    topology: "ring",
    workers: {
      count: 2,
      start: async (message: unknown, { pid }) => {
        if (isNeighbours(message)) told.set(`${pid}`, message.all.length);
        else await gate;
      },
    },
  });
  await settled();
  const first = scene.ecosystems.listWorkers(e)[0]?.pid as Pid;
  let filled = 0;
  while (scene.processes.send(first, "wait")) filled++;
  expect(filled).toBeGreaterThan(1);
  await scene.ecosystems.addWorker(e);
  await settled();
  expect(told.get(`${first}`)).toBe(1); // it has not heard of the third one
  open();
  await scene.processes.call(first, "behind all that", { timeoutMs: Number.POSITIVE_INFINITY });
  await settled();
  expect(told.get(`${first}`)).toBe(2);
});

describe("an ecosystem whose workers end too often", () => {
  const start = async (scene: EcosystemScene, isSick: () => boolean) => {
    return scene.spawn({
      faultTolerance: "selfHealing",
      workers: {
        count: 2,
        start: (message: number, self) => (isSick() ? self.exit("sick") : message * 2),
      },
      coordinator: { attemptsMax: 1_000 },
      supervision: { intensity: { restartsMax: 1 } },
    });
  };

  test("heals itself after a pause, and does what it had accepted", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const scene = new EcosystemScene();
    let isSick = true;
    const e = await start(scene, () => isSick);
    const answer = scene.processes.call(e, 21, { timeoutMs: Number.POSITIVE_INFINITY });
    await settled();
    expect(scene.ecosystems.ecosystemHealth(e)).toMatchObject({
      status: "critical",
      reasons: ["no worker is up"],
    });
    const late = scene.processes.call(e, 4, { timeoutMs: Number.POSITIVE_INFINITY });
    await vi.advanceTimersByTimeAsync(999);
    await settled();
    expect(scene.ecosystems.ecosystemInfo(e).healings).toBe(0);
    await vi.advanceTimersByTimeAsync(1); // it is sick again: the next pause is twice as long
    await settled();
    expect(scene.ecosystems.ecosystemInfo(e).healings).toBe(1);
    isSick = false;
    await vi.advanceTimersByTimeAsync(1_999);
    await settled();
    expect(scene.ecosystems.ecosystemInfo(e).healings).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    await settled();
    expect(await Promise.all([answer, late])).toEqual([42, 8]);
    expect(scene.ecosystems.ecosystemInfo(e)).toMatchObject({
      healings: 2,
      faultTolerance: "selfHealing",
      counts: { accepted: 2, completed: 2 },
    });
    expect(scene.ecosystems.listWorkers(e).map(({ id }) => id)).toEqual(["worker-1", "worker-2"]);
    await scene.ecosystems.shutdownEcosystem(e);
    expect(scene.processes.list()).toEqual([]);
  });

  test("can be ended while it waits to heal", async () => {
    const scene = new EcosystemScene();
    const e = await start(scene, () => true);
    const lost = scene.processes.call(e, 1);
    const failed = expect(lost).rejects.toMatchObject({ code: "process_exited" });
    await settled();
    expect(await scene.ecosystems.shutdownEcosystem(e, { graceMs: 0 })).toEqual({
      isDrained: false,
      abandoned: 1,
      killed: 0,
    });
    await failed;
    expect(scene.processes.list()).toEqual([]);
  });

  test("takes its workers with it when its process is killed", async () => {
    const scene = new EcosystemScene();
    const e = await start(scene, () => false);
    expect(scene.processes.list()).toHaveLength(4);
    scene.processes.exit(e, "kill");
    await settled();
    expect(scene.processes.list()).toEqual([]);
  });
});

test("a worker gets the time to end that `supervision.shutdown` says", async () => {
  const scene = new EcosystemScene();
  const ends: string[] = [];
  class Slow extends GenServer {
    override init(): void {
      this.self.trapExit = true;
    }
    override terminate(): void {
      ends.push("in order");
    }
  }
  const workers = { start: Slow, count: 1 };
  const killed = await scene.spawn({ workers, supervision: { shutdown: "kill" } });
  await scene.ecosystems.shutdownEcosystem(killed);
  expect(ends).toEqual([]);
  const asked = await scene.spawn({ workers, supervision: { shutdown: "infinity" } });
  await scene.ecosystems.shutdownEcosystem(asked);
  expect(ends).toEqual(["in order"]);
});

test("ecosystems send each other work, and hold each other back", async () => {
  const scene = new EcosystemScene();
  const { ecosystems, processes } = scene;
  const stored: number[] = [];
  const store = await ecosystems.spawnEcosystem("store", {
    workers: { start: (n: number) => void stored.push(n), count: 2 },
    coordinator: { queueMax: 4 },
  });
  const squares = await ecosystems.spawnEcosystem("squares", {
    workers: {
      count: 3,
      start: async (n: number, self) => {
        // A message waits for room, a call for its answer.
        if (n % 2 === 0) while (!self.send("store", n * n)) await self.drained("store");
        else await self.call(store, n * n);
      },
    },
  });
  const numbers = Array.from({ length: 200 }, (_none, n) => n);
  await Promise.all(numbers.map(async (n) => processes.call(squares, n)));
  expect(await ecosystems.shutdownEcosystem(squares)).toMatchObject({ isDrained: true });
  expect(await ecosystems.shutdownEcosystem(store)).toMatchObject({ isDrained: true });
  expect(stored.toSorted((a, b) => a - b)).toEqual(numbers.map((n) => n * n));
});
