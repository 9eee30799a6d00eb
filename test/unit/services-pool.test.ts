import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../dist/ts/base/manual-clock.js";
import type { Pid } from "../../dist/ts/base/pid.js";
import { GenServer } from "../../dist/ts/beam/gen-server.js";
import { ConnectionManager } from "../../dist/ts/services/infrastructure/pools/connections.js";
import { HttpWorker } from "../../dist/ts/services/infrastructure/pools/http-worker.js";
import type { PoolOptions } from "../../dist/ts/services/infrastructure/pools/pool-options.js";
import {
  processWorkers,
  type WorkerModule,
} from "../../dist/ts/services/infrastructure/pools/workers.js";
import { Scene, settled } from "./beam-scene.ts";

interface Told {
  readonly event: string;
  readonly measurements: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

class Connection {
  readonly number: number;
  isHealthy = true;
  constructor(number: number) {
    this.number = number;
  }
}

/** Makes numbered connections, at once or when it is told to. */
class Maker implements WorkerModule<Connection, string | undefined> {
  readonly made: Connection[] = [];
  readonly ended: number[] = [];
  readonly args: unknown[] = [];
  readonly gone = new Map<Connection, (reason: unknown) => void>();
  failures = 0;
  onExit = (worker: Connection, gone: (reason: unknown) => void): void => {
    this.gone.set(worker, gone);
  };

  create(args: string | undefined): Connection {
    this.args.push(args);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("no route");
    }
    const made = new Connection(this.made.length + 1);
    this.made.push(made);
    return made;
  }

  destroy(worker: Connection): void {
    this.ended.push(worker.number);
  }
}

const STARTED_EMPTY = { poolDefaults: () => ({}), isPooling: () => true };
let clock: ManualClock;
let told: Told[];
let manager: ConnectionManager;
let maker: Maker;
let isPooling: boolean;

beforeEach(() => {
  clock = new ManualClock();
  told = [];
  isPooling = true;
  maker = new Maker();
  manager = new ConnectionManager({
    ...STARTED_EMPTY,
    clock,
    isPooling: () => isPooling,
    telemetry: {
      execute: (name, measurements, metadata) => {
        if (name.slice(0, -1).join() !== "foundation,foundation,connection_pool") throw name;
        told.push({ event: name.at(-1) as string, measurements, metadata });
      },
    },
  });
});

afterEach(async () => manager.close());

async function start(
  options: Partial<PoolOptions<Connection, string | undefined>> = {},
  name = "db",
): Promise<void> {
  await manager.startPool(name, { workerModule: maker, ...options });
}

/** Takes so many workers into one's hands. */
async function take(count: number) {
  return Promise.all(Array.from({ length: count }, async () => manager.checkOut<Connection>("db")));
}

const numbers = (held: readonly { worker: Connection }[]): number[] =>
  held.map(({ worker }) => worker.number);

describe("a pool that is started", () => {
  test("is not there before [F281 F289 F299]", async () => {
    expect(manager.listPools()).toEqual([]);
    expect(() => manager.getPoolStatus("db")).toThrow(
      expect.objectContaining({ code: "not_found", numericCode: 28_418 }),
    );
    await expect(manager.stopPool("db")).rejects.toMatchObject({ code: "not_found" });
  });

  test("has its workers, made with its arguments [F283 F282 F287]", async () => {
    await start({ size: 3, maxOverflow: 2, workerArgs: "host", strategy: "fifo" });
    expect(manager.listPools()).toEqual(["db"]);
    expect(maker.args).toEqual(["host", "host", "host"]);
    expect(told).toEqual([
      {
        event: "pool_started",
        measurements: { counter: 1 },
        metadata: { poolName: "db", size: 3, maxOverflow: 2, strategy: "fifo" },
      },
    ]);
  });

  test("has the sizes of Foundation 1.x where nothing else is said [F284]", async () => {
    await start();
    expect(manager.getPoolStatus("db")).toEqual({
      ...{ state: "ready", size: 5, maxOverflow: 10, workers: 5, overflow: 0, available: 5 },
      ...{ inUse: 0, monitors: 0, waiting: 0, lost: 0 },
    });
  });

  test("has the sizes of the configuration where there is one", async () => {
    const telemetry = { execute: () => {} };
    const poolDefaults = () => ({ size: 2, maxOverflow: 1, strategy: "fifo" as const });
    const other = new ConnectionManager({ ...STARTED_EMPTY, clock, telemetry, poolDefaults });
    await other.startPool("db", { workerModule: maker, maxOverflow: 0 });
    expect(other.getPoolStatus("db")).toMatchObject({ size: 2, maxOverflow: 0, workers: 2 });
  });

  test("is there once [F285]", async () => {
    await start();
    const again = { code: "already_exists", numericCode: 28_427 };
    await expect(start()).rejects.toMatchObject(again);
    const twice = await Promise.allSettled([start({}, "b"), start({}, "b")]);
    expect(twice.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  test.each([
    ["nothing", undefined],
    ["a text", "Worker"],
    ["an object without create", { destroy: () => {} }],
  ])("needs a module, and %s is none [F286 F311]", async (_what, workerModule) => {
    await expect(start({ workerModule: workerModule as never })).rejects.toMatchObject({
      code: "invalid_worker_module",
    });
    expect(manager.listPools()).toEqual([]);
  });

  test.each([
    [{ size: -1 }, "size must be a whole number from 0"],
    [{ size: 1.5 }, "size must be"],
    [{ size: "5" }, "size must be"],
    [{ maxOverflow: -1 }, "maxOverflow must be"],
    [{ size: 0, maxOverflow: 0 }, "both 0"],
    [{ strategy: "random" }, "strategy must be lifo or fifo"],
    [{ waitingMax: -1 }, "waitingMax must be"],
    [{ createTimeoutMs: 0 }, "createTimeoutMs must be"],
    [{ sise: 5 }, "did you mean 'size'?"],
  ])("refuses the options %j [F312]", async (options, text) => {
    await expect(start(options as never)).rejects.toMatchObject({
      ...{ code: "invalid_config", message: expect.stringContaining(text) },
    });
  });

  test("is not there where one of its workers cannot be made", async () => {
    maker.failures = 1;
    await expect(start({ size: 3 })).rejects.toMatchObject({
      ...{ code: "worker_failed", cause: expect.objectContaining({ message: "no route" }) },
    });
    expect([manager.listPools(), maker.ended]).toEqual([[], [1, 2]]);
    await start({ size: 3 });
  });
});

describe("a pool that is stopped", () => {
  test("is gone, with its workers [F288 F290 F303]", async () => {
    await start({ size: 2 });
    await manager.stopPool("db");
    expect([manager.listPools(), maker.ended]).toEqual([[], [1, 2]]);
    expect(told.at(-1)).toMatchObject({ event: "pool_stopped", metadata: { poolName: "db" } });
    await expect(manager.withConnection("db", () => 1)).rejects.toMatchObject({
      code: "pool_not_found",
    });
  });

  test("refuses who waits, and waits for workers in use as long as it was told", async () => {
    await start({ size: 2, maxOverflow: 0 });
    const [first, second] = await take(2);
    const waiting = manager.checkOut("db");
    const refused = expect(waiting).rejects.toMatchObject({ code: "pool_stopped" });
    const stopped = manager.stopPool("db", { graceMs: 1_000 });
    await refused;
    first?.giveBack();
    await clock.advanceAsync(999);
    expect(maker.ended).toEqual([2]);
    await clock.advanceAsync(1);
    await stopped;
    expect(maker.ended).toEqual([2, 1]);
    second?.giveBack();
    expect(maker.ended).toEqual([2, 1]);
  });

  test("waits no longer than it has to", async () => {
    await start({ size: 1 });
    const [held] = await take(1);
    const stopped = manager.stopPool("db");
    held?.giveBack();
    await stopped;
    expect([maker.ended, clock.pending]).toEqual([[1], 0]);
  });
});

describe("a function with a worker", () => {
  test("has it for itself, and gives it back [F291 F292 F306]", async () => {
    await start({ size: 1, maxOverflow: 0 });
    for (let i = 0; i < 3; i++) {
      const run = ({ number }: Connection): string => {
        expect(manager.getPoolStatus("db")).toMatchObject({ available: 0, inUse: 1 });
        return `worker ${number}`;
      };
      await expect(manager.withConnection("db", run)).resolves.toBe("worker 1");
    }
    expect(manager.getPoolStatus("db")).toMatchObject({ available: 1, inUse: 0 });
    const metadata = { poolName: "db" };
    expect(told.slice(1, 3)).toEqual([
      { event: "checkout", measurements: { checkoutTimeMs: 0 }, metadata },
      { event: "checkin", measurements: { counter: 1 }, metadata },
    ]);
  });

  test("gives it back when it fails, and its error is thrown on [F293]", async () => {
    await start({ size: 1, maxOverflow: 0 });
    const error = new Error("test error");
    const fail = (): never => {
      throw error;
    };
    await expect(manager.withConnection("db", fail)).rejects.toBe(error);
    await expect(manager.withConnection("db", async () => fail())).rejects.toBe(error);
    await expect(manager.withConnection("db", () => "pong")).resolves.toBe("pong");
    await expect(manager.withConnection("db", 1 as never)).rejects.toMatchObject({
      code: "invalid_config",
    });
  });

  test("waits for one no longer than it was told [F294 F296]", async () => {
    await start({ size: 1, maxOverflow: 0 });
    await expect(manager.withConnection("db", () => "pong", 100)).resolves.toBe("pong");
    const [held] = await take(1);
    const wait = manager.withConnection("db", () => "pong", 100);
    const late = expect(wait).rejects.toMatchObject({
      ...{ code: "checkout_timeout", context: { timeoutMs: 100 } },
    });
    await clock.advanceAsync(99);
    expect(manager.getPoolStatus("db")).toMatchObject({ state: "full", waiting: 1 });
    await clock.advanceAsync(1);
    await late;
    expect(told.at(-1)).toEqual({
      ...{ event: "timeout", measurements: { timeoutMs: 100 }, metadata: { poolName: "db" } },
    });
    expect(manager.getPoolStatus("db").waiting).toBe(0);
    held?.giveBack();
    await expect(manager.withConnection("db", () => "pong", 100)).resolves.toBe("pong");
  });

  test("stops waiting when it is aborted", async () => {
    await start({ size: 1, maxOverflow: 0 });
    await take(1);
    const control = new AbortController();
    const { signal } = control;
    const wait = manager.withConnection("db", () => 1, { signal });
    control.abort();
    await expect(wait).rejects.toMatchObject({ code: "aborted" });
    await expect(manager.checkOut("db", { signal })).rejects.toMatchObject({ code: "aborted" });
    expect([manager.getPoolStatus("db").waiting, clock.pending]).toEqual([0, 0]);
  });

  test("needs a pool [F295]", async () => {
    await expect(manager.withConnection("none", () => 1)).rejects.toMatchObject({
      ...{ code: "pool_not_found", context: { pool: "none" } },
    });
  });

  test("may have a worker of any kind [F297]", async () => {
    const workerArgs = { baseUrl: "https://example.com/api/" };
    await manager.startPool("http", { workerModule: HttpWorker, workerArgs, size: 1 });
    const status = await manager.withConnection("http", (http: HttpWorker) => http.getStatus());
    expect(status.baseUrl).toBe("https://example.com/api");
  });
});

describe("the status of a pool", () => {
  test("counts what is there, what is in use and who waits [F298 F300]", async () => {
    await start({ size: 3, maxOverflow: 2 });
    const idle = { size: 3, maxOverflow: 2, lost: 0 };
    const held = await take(2);
    expect(manager.getPoolStatus("db")).toEqual({
      ...{ ...idle, state: "ready", workers: 3, overflow: 0, available: 1, waiting: 0 },
      ...{ inUse: 2, monitors: 2 },
    });
    held.push(...(await take(2)));
    expect(manager.getPoolStatus("db")).toMatchObject({ state: "overflow", overflow: 1 });
    held.push(...(await take(1)));
    void manager.checkOut("db").catch(() => {});
    expect(manager.getPoolStatus("db")).toEqual({
      ...{ ...idle, state: "full", workers: 5, overflow: 2, available: 0, waiting: 1 },
      ...{ inUse: 5, monitors: 5 },
    });
  });

  test("is that of each pool [F301 F302]", async () => {
    for (const name of ["a", "b", "c"]) await start({ size: 1 }, name);
    expect(manager.listPools()).toEqual(["a", "b", "c"]);
    await manager.checkOut("b");
    expect(["a", "b", "c"].map((name) => manager.getPoolStatus(name).inUse)).toEqual([0, 1, 0]);
  });
});

describe("a pool with much to do", () => {
  test("serves as many at a time as it has workers [F304]", async () => {
    await start({ size: 5, maxOverflow: 3 });
    let [running, most] = [0, 0];
    const finish: (() => void)[] = [];
    const calls = Array.from({ length: 10 }, async (_, i) =>
      manager.withConnection("db", async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => finish.push(resolve));
        running -= 1;
        return i;
      }),
    );
    await settled();
    expect([running, manager.getPoolStatus("db").waiting]).toEqual([8, 2]);
    while (finish.length > 0) {
      finish.shift()?.();
      await settled();
    }
    await expect(Promise.all(calls)).resolves.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([most, maker.made.length]).toEqual([8, 8]);
    expect(manager.getPoolStatus("db")).toMatchObject({ workers: 5, available: 5, overflow: 0 });
    expect(maker.ended.length).toBe(3);
  });

  test("serves who came first", async () => {
    await start({ size: 1, maxOverflow: 0 });
    const [held] = await take(1);
    const order: number[] = [];
    const calls = [1, 2, 3].map(async (i) => manager.withConnection("db", () => order.push(i)));
    held?.giveBack();
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
  });

  test("lets no more wait than it may", async () => {
    await start({ size: 1, maxOverflow: 0, waitingMax: 1 });
    const [held] = await take(1);
    const waiting = manager.checkOut("db");
    await expect(manager.checkOut("db")).rejects.toMatchObject({ code: "too_many_waiting" });
    held?.giveBack();
    await expect(waiting).resolves.toMatchObject({ worker: { number: 1 } });
  });

  test("comes and goes beside others [F305 F307]", async () => {
    const names = ["a", "b", "c", "d", "e"];
    await Promise.all(names.map(async (name) => start({ size: 2 }, name)));
    expect(manager.listPools()).toEqual(names);
    await Promise.all(names.map(async (name) => manager.stopPool(name)));
    expect([manager.listPools(), maker.ended.length]).toEqual([[], 10]);
    const events = told.map(({ event, metadata }) => `${event} ${metadata["poolName"]}`);
    expect(events.sort()).toEqual(
      names.flatMap((name) => [`pool_started ${name}`, `pool_stopped ${name}`]).sort(),
    );
  });

  test.each([
    ["lifo", [3, 3, 3]],
    ["fifo", [1, 2, 3]],
  ] as const)("takes idle workers by %s [F313]", async (strategy, expected) => {
    await start({ size: 3, strategy });
    const taken: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [held] = await take(1);
      taken.push(held?.worker.number as number);
      held?.giveBack();
    }
    expect(taken).toEqual(expected);
  });

  test("gives a worker back once, however often it is told", async () => {
    await start({ size: 1, maxOverflow: 1 });
    const [held] = await take(1);
    held?.giveBack();
    held?.giveBack();
    held?.giveBack(true);
    expect(numbers(await take(2))).toEqual([1, 2]);
  });
});

describe("a worker that ends by itself", () => {
  test("is replaced, whether it was idle or in use", async () => {
    await start({ size: 2, maxOverflow: 0 });
    const [held] = await take(1);
    maker.gone.get(maker.made[0] as Connection)?.("crash");
    await settled();
    expect(manager.getPoolStatus("db")).toMatchObject({ workers: 2, available: 1, lost: 1 });
    maker.gone.get(held?.worker as Connection)?.("crash");
    expect(manager.getPoolStatus("db")).toMatchObject({ inUse: 1, lost: 2 });
    held?.giveBack();
    await settled();
    expect(manager.getPoolStatus("db")).toMatchObject({ workers: 2, available: 2, lost: 2 });
    expect(numbers(await take(2)).sort()).toEqual([3, 4]);
    expect(maker.ended).toEqual([]); // the dead need not be ended
  });

  test("is replaced for who waits", async () => {
    await start({ size: 1, maxOverflow: 0 });
    const [held] = await take(1);
    const waiting = manager.checkOut<Connection>("db");
    maker.gone.get(held?.worker as Connection)?.("crash");
    held?.giveBack();
    await expect(waiting).resolves.toMatchObject({ worker: { number: 2 } });
  });

  test("is tried again when it cannot be made, less and less often", async () => {
    await start({ size: 1, maxOverflow: 0 });
    maker.failures = 3;
    maker.gone.get(maker.made[0] as Connection)?.("crash");
    await clock.advanceAsync(0);
    for (const waitMs of [100, 200]) {
      await clock.advanceAsync(waitMs - 1);
      const before = maker.failures;
      await clock.advanceAsync(1);
      expect(maker.failures).toBe(before - 1);
    }
    await expect(manager.withConnection("db", () => 1)).resolves.toBe(1);
  });

  test("that cannot be made is told to who waits for it", async () => {
    await start({ size: 0, maxOverflow: 1 });
    maker.failures = 1;
    await expect(manager.checkOut("db")).rejects.toMatchObject({
      ...{ code: "worker_failed", message: "a worker could not be made: no route" },
    });
    await expect(manager.checkOut("db")).resolves.toMatchObject({ worker: { number: 1 } });
  });

  test("or that takes too long to be made is given up, and ended when it comes", async () => {
    let finish: (worker: Connection) => void = () => {};
    const signals: AbortSignal[] = [];
    const create = async (_args: unknown, signal: AbortSignal): Promise<Connection> => {
      signals.push(signal);
      return new Promise((resolve) => (finish = resolve));
    };
    const module = { create, destroy: (worker: Connection) => maker.destroy(worker) };
    await start({ workerModule: module, size: 0, maxOverflow: 1, createTimeoutMs: 50 });
    const wait = manager.checkOut("db");
    const refused = expect(wait).rejects.toMatchObject({ code: "worker_failed" });
    await clock.advanceAsync(50);
    await refused;
    expect(signals[0]?.aborted).toBe(true);
    finish(new Connection(7));
    await settled();
    expect(maker.ended).toEqual([7]);
  });

  test("or is said to be broken is ended and replaced", async () => {
    await start({ size: 1, maxOverflow: 0 });
    const [held] = await take(1);
    held?.giveBack(true);
    expect(numbers(await take(1))).toEqual([2]);
    expect([maker.ended, manager.getPoolStatus("db").lost]).toEqual([[1], 1]);
  });

  test.each([
    ["says so", (worker: Connection) => worker.isHealthy],
    ["says so later", async (worker: Connection) => worker.isHealthy],
    [
      "cannot be asked",
      (worker: Connection) => {
        if (worker.isHealthy) return true;
        throw new Error("no answer");
      },
    ],
  ])("is not handed out where it %s", async (_how, validate) => {
    await start({ size: 2, maxOverflow: 0, workerModule: Object.assign(maker, { validate }) });
    (maker.made[1] as Connection).isHealthy = false;
    const [held] = await take(1);
    expect(held?.worker.isHealthy).toBe(true);
    expect(manager.getPoolStatus("db")).toMatchObject({ workers: 2, lost: 1 });
    expect(maker.ended).toEqual([2]);
  });
});

describe("a pool while pooling is off", () => {
  test("makes a worker for each call and keeps none", async () => {
    await start({ size: 2, maxOverflow: 0 });
    isPooling = false;
    await manager.withConnection("db", () => 1);
    expect(maker.ended.sort()).toEqual([1, 2, 3]);
    expect(manager.getPoolStatus("db")).toMatchObject({ workers: 0, size: 2 });
    const held = await take(2);
    const third = manager.checkOut<Connection>("db");
    expect(manager.getPoolStatus("db")).toMatchObject({ state: "full", waiting: 1 });
    held[0]?.giveBack();
    expect((await third).worker.number).toBe(6);
    isPooling = true;
    held[1]?.giveBack();
    expect(manager.getPoolStatus("db")).toMatchObject({ available: 1, inUse: 1 });
  });
});

describe("workers that are processes", () => {
  class Answering extends GenServer<[string?]> {
    #word = "";
    override init(word = "pong"): void {
      this.#word = word;
    }
    override handleCall = (message: unknown): unknown => {
      if (message === "crash") throw new Error("crashed");
      return message === "ping" ? this.#word : message;
    };
    override handleCast = (): void => {
      throw new Error("crashed behind the answer");
    };
  }

  test("are replaced when they crash in a call, or behind their answer [F308 F309]", async () => {
    const { processes } = new Scene();
    const workerModule = processWorkers(processes, Answering);
    await manager.startPool("p", { workerModule, size: 1, maxOverflow: 0, workerArgs: ["hello"] });
    const ask = async (message: string): Promise<unknown> =>
      manager.withConnection("p", async (pid: Pid) => processes.call(pid, message));
    await expect(ask("ping")).resolves.toBe("hello");
    await expect(ask("crash")).rejects.toMatchObject({ code: "process_exited" });
    await expect(ask("ping")).resolves.toBe("hello");

    const answer = manager.withConnection("p", async (pid: Pid) => {
      const said = await processes.call(pid, "last words");
      processes.cast(pid, "and now");
      return said;
    });
    await expect(answer).resolves.toBe("last words");
    await settled();
    await expect(ask("ping")).resolves.toBe("hello");
    expect(manager.getPoolStatus("p")).toMatchObject({ workers: 1, lost: 2 });
  });

  test("come back all of them when all are killed, and end with their pool [F310]", async () => {
    const { processes } = new Scene();
    const workerModule = processWorkers(processes, Answering);
    await manager.startPool("p", { workerModule, size: 3, maxOverflow: 0 });
    const before = processes.list();
    for (const pid of before) processes.exit(pid, "kill");
    await settled();
    const pids = processes.list();
    expect([pids.length, pids.some((pid) => before.includes(pid))]).toEqual([3, false]);
    expect(manager.getPoolStatus("p")).toMatchObject({ available: 3, lost: 3 });
    await manager.stopPool("p");
    expect(processes.list()).toEqual([]);
  });
});
