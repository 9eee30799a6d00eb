import { describe, expect, test } from "vitest";
import {
  type ChildOptions,
  dynamicSupervisor,
  GenServer,
  type Pid,
  type Strategy,
  type SupervisorOptions,
  supervisor,
} from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

/** A child that writes down its starts and ends. */
function childrenOf(log: string[]) {
  class Child extends GenServer<[string, boolean?]> {
    #id = "";
    override init(id: string, isTrapping = true): void {
      this.#id = id;
      this.self.trapExit = isTrapping;
      log.push(`+${id}`);
    }
    override handleCall(): string {
      return this.#id;
    }
    override handleCast(how: string): void {
      if (how === "throw") throw new Error("broken");
      this.stop(how);
    }
    override terminate(reason: unknown): void {
      log.push(`-${this.#id} ${typeof reason === "string" ? reason : "error"}`);
    }
  }
  return (id: string, options: Partial<ChildOptions> = {}): ChildOptions => {
    return { id, start: Child, args: [id], ...options };
  };
}

async function start(options: SupervisorOptions) {
  const scene = new Scene();
  const pid = await scene.supervisors.start(options);
  const child = async (id: string): Promise<Pid> => {
    const children = await scene.supervisors.whichChildren(pid);
    return children.find((info) => info.id === id)?.pid as Pid;
  };
  return { ...scene, scene, pid, child };
}

describe("a supervisor", () => {
  test("starts its children in order and ends them in reverse order", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const { processes, supervisors, pid } = await start({
      children: [child("a"), child("b"), child("c")],
    });
    await supervisors.stop(pid);
    expect(log).toEqual(["+a", "+b", "+c", "-c shutdown", "-b shutdown", "-a shutdown"]);
    expect(processes.list()).toEqual([]);
  });

  test.each<[Strategy, string[]]>([
    ["oneForOne", ["-b error", "+b"]],
    ["oneForAll", ["-b error", "-c shutdown", "-a shutdown", "+a", "+b", "+c"]],
    ["restForOne", ["-b error", "-c shutdown", "+b", "+c"]],
  ])("of strategy %s restarts whom it has to", async (strategy, expected) => {
    const log: string[] = [];
    const child = childrenOf(log);
    const {
      processes,
      supervisors,
      pid,
      child: find,
    } = await start({
      strategy,
      children: [child("a"), child("b"), child("c")],
    });
    const before = await find("b");
    log.length = 0;
    processes.cast(before, "throw");
    await settled();
    expect(log).toEqual(expected);
    const children = await supervisors.whichChildren(pid);
    expect(children.map(({ id, state }) => `${id} ${state}`)).toEqual([
      "a running",
      "b running",
      "c running",
    ]);
    expect(children[1]).toMatchObject({ restarts: 1 });
    expect(await processes.call(children[1]!.pid!, 1)).toBe("b");
    await supervisors.stop(pid);
    expect(processes.list()).toEqual([]);
  });

  test.each([
    ["permanent", "normal", true],
    ["permanent", "throw", true],
    ["transient", "normal", false],
    ["transient", "shutdown", false],
    ["transient", "broken", true],
    ["temporary", "throw", false],
  ] as const)("a %s child that ends by %s: restarted %s", async (restart, how, isRestarted) => {
    const log: string[] = [];
    const child = childrenOf(log);
    const {
      processes,
      supervisors,
      pid,
      child: find,
    } = await start({
      children: [child("a", { restart })],
    });
    processes.cast(await find("a"), how);
    await settled();
    expect(log.filter((line) => line === "+a")).toHaveLength(isRestarted ? 2 : 1);
    const counts = await supervisors.countChildren(pid);
    expect(counts.running).toBe(isRestarted ? 1 : 0);
    expect(counts.specs).toBe(restart === "temporary" ? 0 : 1);
    await supervisors.stop(pid);
  });

  test("that restarts too often ends, and its own supervisor starts it anew", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const inner = supervisor({
      children: [child("a"), child("b")],
      intensity: { restartsMax: 2, withinMs: 60_000 },
    });
    const {
      processes,
      supervisors,
      pid,
      child: find,
    } = await start({
      children: [{ id: "inner", start: inner }],
    });
    const first = await find("inner");
    for (let crash = 0; crash < 3; crash++) {
      const children = await supervisors.whichChildren(first);
      processes.cast(children[0]!.pid!, "throw");
      await settled();
    }
    const second = await find("inner");
    expect(processes.isAlive(first)).toBe(false);
    expect(second.equals(first)).toBe(false);
    expect(log).toEqual([
      ...["+a", "+b", "-a error", "+a", "-a error", "+a", "-a error"],
      ...["-b shutdown", "+a", "+b"],
    ]);
    expect(await supervisors.countChildren(second)).toMatchObject({ running: 2 });
    expect(await supervisors.countChildren(pid)).toMatchObject({ supervisors: 1, workers: 0 });
    await supervisors.stop(pid);
    expect(processes.list()).toEqual([]);
  });

  test("whose child does not start ends those before it, and does not start", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const broken = {
      id: "broken",
      start: {
        init: () => {
          throw new Error("not today");
        },
        handle: () => {},
      },
    };
    const { supervisors, processes } = new Scene();
    await expect(
      supervisors.start({ children: [child("a"), child("b"), broken] }),
    ).rejects.toMatchObject({ code: "init_failed", message: expect.stringMatching(/not today/) });
    expect(log).toEqual(["+a", "+b", "-b shutdown", "-a shutdown"]);
    expect(processes.list()).toEqual([]);
  });

  test("kills a child that does not end in its time", async () => {
    const { processes, supervisors } = new Scene();
    const stubborn = {
      handle: () => {},
      terminate: () => new Promise(() => {}),
    };
    const pid = await supervisors.start({
      children: [{ id: "stubborn", start: stubborn, shutdown: 20, trapExit: true }],
    });
    const [child] = await supervisors.whichChildren(pid);
    const reason = processes.exitOf(child!.pid!);
    await supervisors.stop(pid);
    expect(await reason).toBe("killed");
  });

  test("that is asked behind a failed call answers when it has restarted the child", async () => {
    const { processes, supervisors } = new Scene();
    class Slow extends GenServer {
      override handleCall(request: unknown): unknown {
        if (request === null) throw new Error("broken");
        return request;
      }
      override async terminate(): Promise<void> {
        await settled();
      }
    }
    const pid = await supervisors.start({ children: [{ id: "a", start: Slow, name: "a" }] });
    await expect(processes.call("a", null)).rejects.toMatchObject({ code: "process_exited" });
    expect(await supervisors.countChildren(pid)).toMatchObject({ running: 1 });
    expect(await processes.call("a", 1)).toBe(1);
  });

  test("takes, ends, restarts and forgets children when it is asked", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const { processes, supervisors, pid, child: find } = await start({ children: [child("a")] });
    const added = await supervisors.startChild(pid, child("b"));
    expect(await processes.call(added, 1)).toBe("b");
    await expect(supervisors.startChild(pid, child("b"))).rejects.toMatchObject({
      code: "child_exists",
    });
    await expect(supervisors.deleteChild(pid, "b")).rejects.toMatchObject({ code: "child_exists" });
    await supervisors.terminateChild(pid, "b");
    expect(await find("b")).toBeUndefined();
    expect(await processes.call(await supervisors.restartChild(pid, "b"), 1)).toBe("b");
    await expect(supervisors.restartChild(pid, "b")).rejects.toMatchObject({
      code: "child_exists",
    });
    await supervisors.terminateChild(pid, "b");
    await supervisors.deleteChild(pid, "b");
    await expect(supervisors.terminateChild(pid, "b")).rejects.toMatchObject({
      code: "unknown_child",
    });
    expect(await supervisors.countChildren(pid)).toEqual({
      specs: 1,
      running: 1,
      supervisors: 0,
      workers: 1,
    });
    await supervisors.stop(pid);
  });

  test("ends with the process that started it", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const { processes } = new Scene();
    const start = supervisor({ children: [child("a")] });
    const parent = processes.spawn(async () => processes.startLink(start));
    const pid = (await processes.call(parent, 1)) as Pid;
    const ended = processes.exitOf(pid);
    processes.exit(parent, "over");
    expect(await ended).toBe("over");
    expect(log).toEqual(["+a", "-a shutdown"]);
  });

  test.each<[SupervisorOptions, RegExp]>([
    [{ strategy: "some" as Strategy }, /strategy/],
    [{ intensity: { restartsMax: -1 } }, /restartsMax/],
    [{ intensity: { withinMs: 0 } }, /withinMs/],
    [{ backoff: { firstMs: 10, maxMs: 5 } }, /backoff/],
    [{ children: [{ id: "a" }] }, /start/],
    [{ children: [{ id: "", start: () => {} }] }, /id/],
    [{ children: [{ id: "a", start: () => {}, shutdown: -1 }] }, /shutdown/],
    [{ children: [{ id: "a", start: () => {}, restart: "often" as "permanent" }] }, /restart/],
    [{ children: [{ id: "a", start: () => {}, strategy: 1 } as ChildOptions] }, /'strategy'/],
    [{ children: [1, 2].map(() => ({ id: "a", start: () => {} })) }, /two children/],
  ])("of impossible options %j is refused", (options, message) => {
    expect(() => supervisor(options)).toThrow(
      expect.objectContaining({ code: "invalid_options", message: expect.stringMatching(message) }),
    );
  });
});

describe("a dynamic supervisor", () => {
  test("keeps any number of children of one kind, each restarted alone", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const { processes, supervisors } = new Scene();
    const pid = await supervisors.startDynamic({ childrenMax: 3 });
    const pids: Pid[] = [];
    for (const id of ["a", "b", "b"]) pids.push(await supervisors.startChild(pid, child(id)));
    await expect(supervisors.startChild(pid, child("c"))).rejects.toMatchObject({
      code: "too_many_children",
    });
    processes.cast(pids[0]!, "throw");
    await settled();
    expect(await supervisors.countChildren(pid)).toMatchObject({ running: 3 });
    expect(log).toEqual(["+a", "+b", "+b", "-a error", "+a"]);
    await supervisors.terminateChild(pid, pids[1]!);
    expect(await supervisors.countChildren(pid)).toMatchObject({ running: 2, specs: 2 });
    await supervisors.stop(pid);
    expect(processes.list()).toEqual([]);
  });

  test("forgets temporary children, and can be another one's child", async () => {
    const log: string[] = [];
    const child = childrenOf(log);
    const {
      processes,
      supervisors,
      pid,
      child: find,
    } = await start({
      children: [{ id: "pool", start: dynamicSupervisor() }],
    });
    const pool = await find("pool");
    const one = await supervisors.startChild(pool, child("a", { restart: "temporary" }));
    processes.cast(one, "throw");
    await settled();
    expect(await supervisors.countChildren(pool)).toMatchObject({ specs: 0 });
    await supervisors.startChild(pool, child("b"));
    await supervisors.stop(pid);
    expect(log.at(-1)).toBe("-b shutdown");
    expect(processes.list()).toEqual([]);
  });
});

describe("a storm of restarts", () => {
  test("costs no message of the siblings", async () => {
    const { processes, supervisors } = new Scene();
    let received = 0;
    const pid = await supervisors.start({
      intensity: { restartsMax: 1_000, withinMs: 60_000 },
      children: [
        { id: "sibling", start: () => void received++ },
        {
          id: "crashing",
          start: () => {
            throw new Error("again");
          },
        },
      ],
    });
    let sent = 0;
    for (let round = 0; round < 500; round++) {
      const [sibling, crashing] = await supervisors.whichChildren(pid);
      for (let message = 0; message < 10; message++) {
        if (processes.send(sibling!.pid!, message)) sent++;
      }
      if (crashing!.pid !== undefined) processes.send(crashing!.pid, "now");
    }
    await settled();
    expect(received).toBe(sent);
    expect(sent).toBe(5_000);
    expect((await supervisors.whichChildren(pid))[1]!.restarts).toBeGreaterThan(100);
    await supervisors.stop(pid);
  });
});
