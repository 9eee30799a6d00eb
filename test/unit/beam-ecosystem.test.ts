import { describe, expect, test } from "vitest";
import { type EcosystemOptions, type From, GenServer } from "../../dist/ts/index.js";
import { EcosystemScene, Gates } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

/** Many restarts are no reason to end. */
const PATIENT = { intensity: { restartsMax: 10_000 } };

describe("an ecosystem", () => {
  test("hands work out to its workers in turn and answers for them", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const e = await ecosystems.spawnEcosystem("squares", {
      workers: { start: (n: number, { pid }) => [n * n, `${pid}`], count: 3 },
      coordinator: { dispatch: "roundRobin" },
    });
    const calls = [1, 2, 3, 4, 5, 6].map((n) => processes.call("squares", n));
    const answers = (await Promise.all(calls)) as [number, string][];
    expect(answers.map(([square]) => square)).toEqual([1, 4, 9, 16, 25, 36]);
    const workers = ecosystems.listWorkers("squares");
    expect(workers.map(({ id, done }) => [id, done])).toEqual([
      ["worker-1", 2],
      ["worker-2", 2],
      ["worker-3", 2],
    ]);
    expect(answers.slice(3).map(([, by]) => by)).toEqual(workers.map(({ pid }) => `${pid}`));
    expect(ecosystems.ecosystemInfo(e)).toMatchObject({
      topology: "star",
      memoryStrategy: "sharedHeap",
      strategy: "oneForOne",
      queue: { waiting: 0, oldestMs: 0, delay: { samples: 6 } },
      counts: { accepted: 6, completed: 6, redistributed: 0 },
    });
    expect(ecosystems.ecosystemHealth(e)).toMatchObject({ status: "healthy", reasons: [] });
  });

  test("gives a server what was called, cast and sent as such, late answers too", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const log: unknown[] = [];
    class Server extends GenServer<[string]> {
      #prefix = "";
      override init(prefix: string): void {
        this.#prefix = prefix;
      }
      override handleCall(message: unknown, from: From): unknown {
        setImmediate(() => from.reply(`${this.#prefix}${message}`));
        return GenServer.noReply;
      }
      override handleCast(message: unknown): void {
        log.push(["cast", message]);
      }
      override handleInfo(message: unknown): void {
        log.push(["info", message]);
      }
    }
    const e = await ecosystems.spawnEcosystem({
      workers: { start: Server, args: ["re: "], count: 2 },
    });
    processes.cast(e, 1);
    processes.send(e, 2);
    expect(await processes.call(e, 3)).toBe("re: 3");
    expect(log).toEqual([
      ["cast", 1],
      ["info", 2],
    ]);
    expect(ecosystems.ecosystemInfo(e).counts.completed).toBe(3);
  });

  test("gives the work of a worker that ended to another one", async () => {
    const { ecosystems, processes, crashes } = new EcosystemScene();
    const tried: string[] = [];
    const e = await ecosystems.spawnEcosystem({
      workers: {
        count: 2,
        start: (message: string, { pid }) => {
          tried.push(`${pid}`);
          if (tried.length === 1) throw new Error("broken");
          return message;
        },
      },
    });
    expect(await processes.call(e, "hello")).toBe("hello");
    expect(new Set(tried).size).toBe(2);
    expect(crashes).toHaveLength(1);
    await settled();
    expect(ecosystems.ecosystemInfo(e).counts).toMatchObject({ redistributed: 1, completed: 1 });
    expect(ecosystems.ecosystemHealth(e)).toMatchObject({ status: "healthy", restarts: 1 });
  });

  test("loses nothing while workers are killed at random", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state / 2 ** 31;
    };
    const { ecosystems, processes } = new EcosystemScene();
    const handled = new Set<number>();
    const e = await ecosystems.spawnEcosystem({
      workers: {
        count: 4,
        start: async (n: number, self) => {
          if (random() < 0.2) self.exit("tired");
          await new Promise((resolve) => setImmediate(resolve));
          handled.add(n);
          return n;
        },
      },
      coordinator: { attemptsMax: 1_000, queueMax: 50, inFlightMax: 3 },
      supervision: PATIENT,
    });
    const answers = Array.from({ length: 300 }, async (_none, n) => {
      if (n % 2 === 0) return processes.call(e, n);
      while (!processes.send(e, n)) await processes.drained(e);
      return n;
    });
    for (let kills = 0; kills < 20; kills++) {
      await settled();
      const { pid } = ecosystems.listWorkers(e)[kills % 4] as { pid: undefined };
      if (pid !== undefined) processes.exit(pid, "kill");
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 300 }, (_none, n) => n));
    expect(await ecosystems.shutdownEcosystem(e)).toMatchObject({ isDrained: true, abandoned: 0 });
    expect(handled.size).toBe(300);
    expect(processes.list()).toEqual([]);
  });

  test("gives up work that ends every worker, and goes on", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const e = await ecosystems.spawnEcosystem({
      workers: {
        count: 2,
        start: (message: string) => {
          if (message === "poison") throw new Error("broken");
          return message;
        },
      },
    });
    const poison = processes.call(e, "poison");
    await expect(poison).rejects.toMatchObject({ code: "work_given_up", context: { attempts: 3 } });
    expect(await processes.call(e, "bread")).toBe("bread");
    expect(ecosystems.ecosystemInfo(e).counts).toMatchObject({ redistributed: 2, givenUp: 1 });
  });

  test("ends with its supervisor, and says so to its callers", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const e = await ecosystems.spawnEcosystem({
      workers: { count: 2, start: (_message: unknown, self) => self.exit("broken") },
      coordinator: { attemptsMax: 10 },
      supervision: { intensity: { restartsMax: 1 } },
    });
    await expect(processes.call(e, 1)).rejects.toMatchObject({ code: "process_exited" });
    await settled();
    expect(processes.list()).toEqual([]);
    expect(() => ecosystems.ecosystemInfo(e)).toThrow(
      expect.objectContaining({ code: "unknown_ecosystem" }),
    );
  });

  test("holds senders back when its queue and its mailbox are full", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { ecosystems, processes } = scene;
    const e = await scene.spawn({
      workers: { start: gates.server(), count: 1 },
      coordinator: { queueMax: 2 },
    });
    // One under way, two queued, one at the door, two in the mailbox.
    for (const work of ["a", "b", "c", "d", "e", "f"]) {
      expect(processes.send(e, work)).toBe(true);
      await settled();
    }
    expect(processes.send(e, "g")).toBe(false);
    scene.nowMs = 500;
    expect(ecosystems.ecosystemHealth(e)).toMatchObject({
      status: "critical",
      reasons: ["the queue is full: 2", "work waits for 500 ms"],
      waiting: 2,
      queueDelayMs: 500,
    });
    const drained = processes.drained(e);
    gates.open("a");
    await drained;
    expect(processes.send(e, "g")).toBe(true);
    for (const work of ["b", "c", "d", "e", "f", "g"]) {
      await settled();
      gates.open(work);
    }
    await settled();
    expect(gates.begun.join("")).toBe("abcdefg");
    expect(ecosystems.ecosystemHealth(e).status).toBe("healthy");
  });
});

describe("workers", () => {
  test("are added, and removed when they have done their work", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { ecosystems, processes } = scene;
    const e = await scene.spawn({ workers: { start: gates.server(), count: 1, max: 2 } });
    expect(await ecosystems.addWorker(e)).toBe("worker-2");
    await expect(ecosystems.addWorker(e)).rejects.toMatchObject({ code: "too_many_children" });
    const [a, b, c] = ["a", "b", "c"].map((work) => processes.call(e, work));
    await settled();
    expect(gates.begun).toEqual(["a", "b"]);
    const [first, second] = ecosystems.listWorkers(e);
    const removed = ecosystems.removeWorker(e, "worker-1", { graceMs: Number.POSITIVE_INFINITY });
    expect(ecosystems.listWorkers(e)[0]).toMatchObject({ state: "draining", inFlight: 1 });
    gates.open("a");
    expect(await a).toBe(`a by ${first?.pid}`);
    await removed;
    expect(ecosystems.listWorkers(e).map(({ id }) => id)).toEqual(["worker-2"]);
    gates.open("b");
    await b;
    await settled();
    gates.open("c");
    expect(await c).toBe(`c by ${second?.pid}`);
    await expect(ecosystems.removeWorker(e, "worker-1")).rejects.toMatchObject({
      code: "unknown_child",
    });
    await expect(ecosystems.removeWorker(e, "worker-2")).rejects.toMatchObject({
      code: "invalid_options",
    });
  });
});

describe("a shutdown", () => {
  test("finishes the work that was accepted and refuses more", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { ecosystems, processes } = scene;
    const e = await scene.spawn({ workers: { start: gates.server(), count: 1 } });
    const [a, b] = ["a", "b"].map((work) => processes.call(e, work));
    await settled();
    const over = ecosystems.shutdownEcosystem(e, { graceMs: Number.POSITIVE_INFINITY });
    await expect(processes.call(e, "c")).rejects.toMatchObject({ code: "ecosystem_closing" });
    gates.open("a");
    await a;
    await settled();
    gates.open("b");
    await b;
    expect(await over).toEqual({ isDrained: true, abandoned: 0, killed: 0 });
    expect(processes.list()).toEqual([]);
  });

  test("kills what is left after its grace", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const { ecosystems, processes } = scene;
    const e = await scene.spawn({ workers: { start: gates.server(true), count: 1 } });
    const lost = ["a", "b"].map((work) => processes.call(e, work));
    const failed = Promise.allSettled(lost);
    await settled();
    expect(await ecosystems.shutdownEcosystem(e, { graceMs: 0 })).toEqual({
      isDrained: false,
      abandoned: 2,
      killed: 1,
    });
    for (const result of await failed) {
      expect(result).toMatchObject({ reason: { code: "process_exited" } });
    }
    expect(processes.list()).toEqual([]);
  });

  test("also follows from stopping its process, which ends with its own reason", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const e = await ecosystems.spawnEcosystem({ workers: { start: () => 1, count: 2 } });
    const ended = processes.exitOf(e);
    await processes.stop(e, "tired");
    expect(await ended).toBe("tired");
    expect(processes.list()).toEqual([]);
  });

  test("follows from killing its process", async () => {
    const { ecosystems, processes } = new EcosystemScene();
    const e = await ecosystems.spawnEcosystem({ workers: { start: () => 1, count: 2 } });
    processes.exit(e, "kill");
    await settled();
    expect(processes.list()).toEqual([]);
  });
});

test.each<[string, object]>([
  ["nothing is learned", { workers: { start: () => 1 }, intelligence: ["adaptive"] }],
  ["faultTolerance must be", { workers: { start: () => 1 }, faultTolerance: "hope" }],
  ["shutdown must be", { workers: { start: () => 1 }, supervision: { shutdown: 0 } }],
  [
    "`scaling.rememberMs` is of `count: 'adaptive'`",
    { workers: { start: () => 1, count: "autoScale" }, scaling: { rememberMs: 1 } },
  ],
  ["no option 'mode'", { workers: { start: () => 1 }, coordinator: { mode: "fast" } }],
  ["needs `workers.module`", { workers: { start: () => 1 }, memoryStrategy: "isolatedHeaps" }],
  ["`start`, `module` or `factory`", { workers: {} }],
  ["one of `start`, `module`", { workers: { start: () => 1, factory: "f" } }],
  ["need `workers.factory`", { workers: { start: () => 1 }, distribution: "clusterWide" }],
  ["is of a `distribution`", { workers: { factory: "f" } }],
  ["list of at least one", { workers: { factory: "f" }, distribution: { nodes: [] } }],
  ["placement must be", { workers: { factory: "f" }, distribution: { placement: "random" } }],
  ['"clusterWide" or an object', { workers: { start: () => 1 }, distribution: "everywhere" }],
  ["topology must be", { workers: { start: () => 1 }, topology: "cube" }],
  ["`scaling` is of", { workers: { start: () => 1 }, scaling: { lowDelayMs: 1 } }],
  ["min <= count <= max", { workers: { start: () => 1, count: 5, max: 4 } }],
  ["workers.count", { workers: { start: () => 1, count: "lots" } }],
  ["dispatch must be", { workers: { start: () => 1 }, coordinator: { dispatch: "random" } }],
])("an option that cannot be honoured is refused: %s", async (reason, options) => {
  const { ecosystems, processes } = new EcosystemScene();
  await expect(ecosystems.spawnEcosystem(options as EcosystemOptions)).rejects.toMatchObject({
    code: "invalid_options",
    message: expect.stringContaining(reason) as string,
  });
  expect(processes.list()).toEqual([]);
});

test("an ecosystem whose workers do not start does not start", async () => {
  const { ecosystems, processes } = new EcosystemScene();
  class Broken extends GenServer {
    override init(): void {
      throw new Error("no port");
    }
  }
  const start = ecosystems.spawnEcosystem({ workers: { start: Broken, count: 2 } });
  await expect(start).rejects.toMatchObject({ code: "init_failed" });
  await settled();
  expect(processes.list()).toEqual([]);
});
