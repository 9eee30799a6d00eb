import { describe, expect, test } from "vitest";
import {
  type ChooseRequest,
  type ChooseWorker,
  type EcosystemCoordinatorOptions,
  type EcosystemOptions,
  type FreeWorker,
  GenServer,
  type OfferedWork,
} from "../../dist/ts/index.js";
import { EcosystemScene, Gates } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

/** An ecosystem of workers that write down what they were given. */
async function start(coordinator: EcosystemCoordinatorOptions, count = 3) {
  const scene = new EcosystemScene();
  const given: [string, unknown][] = [];
  const ids = new Map<string, string>();
  const e = await scene.spawn({
    workers: {
      count,
      start: (message: unknown, { pid }) => {
        given.push([ids.get(`${pid}`) ?? "", message]);
        return message;
      },
    },
    coordinator,
  });
  for (const { id, pid } of scene.ecosystems.listWorkers(e)) ids.set(`${pid}`, id);
  const info = () => scene.ecosystems.ecosystemInfo(e);
  return { scene, e, given, info };
}

/** The same key goes to the same worker. */
const byKey: ChooseWorker = ({ message }, workers) => {
  const wanted = `worker-${((message as number) % 3) + 1}`;
  return workers.find(({ id }) => id === wanted)?.id;
};

describe("a function that chooses", () => {
  test("says who gets which work, and lets it wait for one that is not free", async () => {
    const { scene, e, given, info } = await start({ dispatch: byKey });
    const numbers = [0, 1, 2, 3, 3, 3, 4, 5, 6];
    await Promise.all(numbers.map(async (n) => scene.processes.call(e, n)));
    for (const [id, n] of given) expect(id).toBe(`worker-${((n as number) % 3) + 1}`);
    expect(given).toHaveLength(numbers.length);
    expect(info().coordinator).toMatchObject({ kind: "function", errors: 0, pid: undefined });
    expect(info().coordinator.asked).toBeGreaterThanOrEqual(numbers.length);
  });

  test("sees the work and those who are free", async () => {
    const scene = new EcosystemScene();
    const gates = new Gates();
    const asked: [OfferedWork, readonly FreeWorker[]][] = [];
    const e = await scene.spawn({
      workers: { start: gates.server(), count: 2 },
      coordinator: {
        dispatch: (work, workers) => {
          asked.push([work, workers]);
          return workers.at(-1)?.id;
        },
      },
    });
    const first = scene.processes.call(e, "a");
    await settled();
    const second = scene.processes.call(e, "b");
    await settled();
    const third = scene.processes.call(e, "c");
    await settled();
    scene.nowMs = 30;
    gates.open("a");
    await first;
    await settled();
    expect(asked.map(([{ kind, message }]) => [kind, message])).toEqual([
      ["call", "a"],
      ["call", "b"],
      ["call", "c"],
    ]);
    expect(asked.map(([, workers]) => workers.map(({ id }) => id))).toEqual([
      ["worker-1", "worker-2"],
      ["worker-1"],
      ["worker-2"],
    ]);
    expect(asked[2]).toMatchObject([{ attempts: 0, waitedMs: 30 }, [{ inFlight: 0, done: 1 }]]);
    gates.open("b");
    gates.open("c");
    await Promise.all([second, third]);
  });

  test.each<[string, ChooseWorker, string]>([
    [
      "throws",
      () => {
        throw new Error("no idea");
      },
      "no idea",
    ],
    ["names nobody that is free", () => "worker-9", "named 'worker-9'"],
    ["waits for nothing", () => undefined, "none is under way"],
  ])("and %s costs no work: the rule chooses, which is counted", async (_what, dispatch, text) => {
    const { scene, e, given, info } = await start({ dispatch });
    for (const n of [1, 2, 3]) expect(await scene.processes.call(e, n)).toBe(n);
    expect(given.map(([id]) => id)).toEqual(["worker-1", "worker-2", "worker-3"]);
    const { errors, lastError } = info().coordinator;
    expect(errors).toBe(3);
    expect((lastError as Error).message).toContain(text);
  });

  test("ends the ecosystem with its error where that is asked for", async () => {
    const broken = new Error("no idea");
    const { scene, e } = await start({
      onError: "end",
      dispatch: () => {
        throw broken;
      },
    });
    const ended = scene.processes.exitOf(e);
    await expect(scene.processes.call(e, 1)).rejects.toMatchObject({
      code: "process_exited",
      context: { reason: broken },
    });
    expect(await ended).toBe(broken);
    await settled();
    expect(scene.processes.list()).toEqual([]);
  });
});

describe("a process that chooses", () => {
  /** Sends each to the next one, and remembers whom it was asked for. */
  class Chief extends GenServer<[string]> {
    #seen = 0;
    #poison = "";
    override init(poison: string): void {
      this.#poison = poison;
    }
    override handleCall({ work, workers }: ChooseRequest): string | undefined {
      if (work.message === this.#poison) throw new Error("poisoned");
      this.#seen++;
      const wanted = `worker-${(this.#seen % 3) + 1}`;
      return workers.find(({ id }) => id === wanted)?.id;
    }
  }

  test("is asked, keeps its state, and is ended last", async () => {
    const { scene, e, given, info } = await start({ start: Chief, args: ["poison"] });
    for (const n of [1, 2, 3, 4]) expect(await scene.processes.call(e, n)).toBe(n);
    expect(given.map(([id]) => id)).toEqual(["worker-2", "worker-3", "worker-1", "worker-2"]);
    expect(info().coordinator).toMatchObject({ kind: "process", asked: 4, errors: 0 });
    const chief = info().coordinator.pid;
    expect(chief !== undefined && scene.processes.isAlive(chief)).toBe(true);
    await scene.ecosystems.shutdownEcosystem(e);
    expect(scene.processes.list()).toEqual([]);
  });

  test("that dies is started again, and meanwhile the rule chooses", async () => {
    const { scene, e, info } = await start({ start: Chief, args: ["poison"] });
    const before = info().coordinator.pid;
    expect(await scene.processes.call(e, "poison")).toBe("poison");
    await settled();
    const { pid, errors, lastError } = info().coordinator;
    expect(errors).toBe(1);
    expect(lastError).toMatchObject({ code: "process_exited" });
    expect(pid?.equals(before as never)).toBe(false);
    expect(await scene.processes.call(e, "bread")).toBe("bread");
    expect(info().coordinator.errors).toBe(1);
    expect(scene.crashes.map(({ label }) => label)).toEqual(["Chief"]);
  });

  test("that dies too often ends the ecosystem, as any child", async () => {
    const { scene, e } = await start({ start: Chief, args: ["poison"] });
    const ended = scene.processes.exitOf(e);
    for (let crash = 0; crash < 4; crash++) {
      await scene.processes.call(e, "poison").catch(() => {});
      await settled();
    }
    expect(await ended).toBe("shutdown");
    expect(scene.processes.list()).toEqual([]);
  });

  test("loses nothing whatever it answers, and whenever workers die", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.log(`seed ${seed}`);
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state / 2 ** 31;
    };
    const scene = new EcosystemScene();
    const e = await scene.spawn({
      workers: {
        count: 4,
        start: async (n: number, self) => {
          if (random() < 0.1) self.exit("tired");
          await new Promise((resolve) => setImmediate(resolve));
          return n;
        },
      },
      coordinator: {
        attemptsMax: 1_000,
        queueMax: 20,
        inFlightMax: 2,
        start: async ({ workers }: ChooseRequest) => {
          if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
          const answer = random();
          if (answer < 0.2) return undefined;
          return answer < 0.3 ? "nobody" : workers[Math.floor(random() * workers.length)]?.id;
        },
      },
      supervision: { intensity: { restartsMax: 10_000 } },
    });
    const numbers = Array.from({ length: 200 }, (_none, n) => n);
    const answers = numbers.map(async (n) => scene.processes.call(e, n));
    expect(await Promise.all(answers)).toEqual(numbers);
    expect(scene.ecosystems.ecosystemInfo(e).coordinator.errors).toBeGreaterThan(0);
    expect(await scene.ecosystems.shutdownEcosystem(e)).toMatchObject({ isDrained: true });
  });
});

test.each<[string, object]>([
  ["not both", { start: () => "worker-1", dispatch: () => "worker-1" }],
  ["either `start` or `module`", { start: () => "worker-1", module: "chief" }],
  ["is of a `module`", { export: "Chief" }],
  ["is no server", { start: 1 }],
  ["are of a process", { args: [1] }],
  ["are of a process", { dispatch: () => "worker-1", timeoutMs: 5 }],
  ["a rule does not fail", { onError: "end" }],
  ["onError must be", { dispatch: () => "worker-1", onError: "hope" }],
  ["timeoutMs must be", { start: () => "worker-1", timeoutMs: 0 }],
])("an option of a coordinator that has no effect is refused: %s", async (reason, coordinator) => {
  const { ecosystems, processes } = new EcosystemScene();
  const options = { workers: { start: () => 1 }, coordinator } as EcosystemOptions;
  await expect(ecosystems.spawnEcosystem(options)).rejects.toMatchObject({
    code: "invalid_options",
    message: expect.stringContaining(reason) as string,
  });
  expect(processes.list()).toEqual([]);
});
