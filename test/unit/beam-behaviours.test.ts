import { describe, expect, test } from "vitest";
import {
  Agent,
  EventManager,
  type From,
  GenServer,
  NO_REPLY,
  type Pid,
  type StateHandlers,
  StateMachine,
} from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

class Server extends GenServer<[unknown[]]> {
  #log: unknown[] = [];
  #from: From | undefined;

  override init(log: unknown[]): void {
    this.#log = log;
    log.push("init");
  }
  override async handleCall(request: unknown, from: From): Promise<unknown> {
    await settled();
    switch (request) {
      case "later":
        this.#from = from;
        return NO_REPLY;
      case "last":
        this.stop("done");
        return "answered";
      case "continue":
        this.continueWith("more");
        return "first";
      case "timeout":
        this.timeoutAfter(5);
        return "waiting";
      default:
        return request;
    }
  }
  override handleCast(message: unknown): void {
    this.#log.push({ cast: message });
    this.#from?.reply(message);
  }
  override handleInfo(message: unknown): void {
    this.#log.push({ info: message });
  }
  override handleContinue(value: unknown): void {
    this.#log.push({ continued: value });
  }
  override handleTimeout(): void {
    this.#log.push("timeout");
  }
  override terminate(reason: unknown): void {
    this.#log.push({ terminated: reason });
  }
}

async function startServer() {
  const { processes } = new Scene();
  const log: unknown[] = [];
  const pid = await processes.start(Server, { args: [log] });
  return { processes, log, pid };
}

describe("a server", () => {
  test("tells calls, casts and other messages apart", async () => {
    const { processes, log, pid } = await startServer();
    expect(await processes.call(pid, "same")).toBe("same");
    const later = processes.call(pid, "later");
    processes.cast(pid, 1);
    processes.send(pid, 2);
    expect(await later).toBe(1);
    await processes.stop(pid);
    expect(log).toEqual(["init", { cast: 1 }, { info: 2 }, { terminated: "normal" }]);
  });

  test("answers the call in which it stops, and cleans up", async () => {
    const { processes, log, pid } = await startServer();
    const reason = processes.exitOf(pid);
    expect(await processes.call(pid, "last")).toBe("answered");
    expect(await reason).toBe("done");
    expect(log).toEqual(["init", { terminated: "done" }]);
  });

  test("goes on before any other message where it says so", async () => {
    const { processes, log, pid } = await startServer();
    const call = processes.call(pid, "continue");
    processes.cast(pid, "behind");
    expect(await call).toBe("first");
    await processes.stop(pid);
    expect(log.slice(1, 3)).toEqual([{ continued: "more" }, { cast: "behind" }]);
  });

  test("times out when no message comes, and not when one does", async () => {
    const { processes, log, pid } = await startServer();
    await processes.call(pid, "timeout");
    processes.send(pid, "in time");
    // Its time would be over before that of one that begins to wait now.
    const later = await startServer();
    await later.processes.call(later.pid, "timeout");
    await expect.poll(() => later.log.at(-1)).toBe("timeout");
    expect(log).toEqual(["init", { info: "in time" }]);
  });

  test("that handles no calls ends by one", async () => {
    const { processes } = new Scene();
    class Silent extends GenServer {}
    const pid = await processes.start(Silent);
    await expect(processes.call(pid, 1)).rejects.toMatchObject({ code: "process_exited" });
  });

  test("whose init throws does not start", async () => {
    const { processes } = new Scene();
    const cause = new Error("not today");
    class Broken extends GenServer {
      override init(): never {
        throw cause;
      }
    }
    await expect(processes.start(Broken)).rejects.toMatchObject({ code: "init_failed", cause });
    expect(processes.list()).toEqual([]);
  });
});

type DoorState = "open" | "closed" | "locked";

class Door extends StateMachine<DoorState, [unknown[], number?]> {
  #log: unknown[] = [];
  #openMs = 0;
  override init(log: unknown[], openMs = 10): DoorState {
    this.#log = log;
    this.#openMs = openMs;
    return "closed";
  }
  override readonly states: Record<DoorState, StateHandlers<DoorState>> = {
    open: {
      enter: (from) => {
        this.#log.push(`open from ${from}`);
        this.stateTimeout(this.#openMs);
      },
      timeout: () => this.goto("closed"),
      call: (request) => (request === "state" ? this.state : undefined),
      cast: (message) => {
        if (message === "close") this.goto("closed");
        else this.#log.push(`${message as string} while open`);
      },
    },
    closed: {
      enter: (from) => this.#log.push(`closed from ${from}`),
      call: (request) => (request === "state" ? this.state : undefined),
      cast: (message) => {
        if (message === "open") this.goto("open");
        else if (message === "lock") this.goto("locked");
        else if (message === "end") this.stop("ended");
        else this.postpone();
      },
    },
    locked: {
      enter: () => this.timeout("unlock", 5),
      timeout: (name) => {
        this.#log.push(name);
        this.goto("closed");
      },
      cast: () => this.postpone(),
    },
  };
}

test.each([undefined, null, 7, "name", {}, { handle: 7 }])("%j cannot be started", async (odd) => {
  const { processes, supervisors } = new Scene();
  const refused = { code: "invalid_options" };
  await expect(processes.start(odd as never)).rejects.toMatchObject(refused);
  const children = [{ id: "odd", start: odd as never }];
  await expect(supervisors.start({ children })).rejects.toThrow();
  expect(processes.list()).toEqual([]);
});

describe("a state machine", () => {
  const start = async (openMs?: number) => {
    const { processes } = new Scene();
    const log: unknown[] = [];
    const pid = await processes.start(Door, { args: [log, openMs] });
    return { processes, log, pid };
  };

  test("is started by its class or its blueprint, also as a child", async () => {
    const { processes, supervisors } = new Scene();
    const pids = [
      await processes.start(Door, { args: [[]] }),
      await processes.start(StateMachine.blueprint(Door), { args: [[]] }),
    ];
    const child = { id: "door", start: Door, args: [[]], name: "door" };
    await supervisors.start({ children: [child] });
    for (const to of [...pids, "door"]) expect(await processes.call(to, "state")).toBe("closed");
    const info = await processes.processInfo(processes.whereis("door") as Pid);
    expect(info?.label).toBe("Door");
  });

  test("enters states, and handles what was postponed there first, in order", async () => {
    const { processes, log, pid } = await start(60_000);
    for (const message of ["one", "two", "open", "three"]) processes.cast(pid, message);
    await settled();
    expect(log).toEqual([
      "closed from undefined",
      "open from closed",
      "one while open",
      "two while open",
      "three while open",
    ]);
    expect(await processes.call(pid, "state")).toBe("open");
    await processes.stop(pid);
  });

  test("has timeouts of a state, which end with it, and of a name", async () => {
    const { processes, log, pid } = await start();
    processes.cast(pid, "open");
    await expect.poll(() => log.at(-1)).toBe("closed from open");
    processes.cast(pid, "open");
    processes.cast(pid, "close");
    processes.cast(pid, "lock");
    await expect.poll(() => log.at(-1)).toBe("closed from locked");
    expect(log.at(-2)).toBe("unlock");
    // The timeout of its own second visit to `open` would be over before that of a later one.
    const later = await start();
    later.processes.cast(later.pid, "open");
    await expect.poll(() => later.log.at(-1)).toBe("closed from open");
    expect(log.at(-1)).toBe("closed from locked");
    expect(await processes.call(pid, "state")).toBe("closed");
  });

  test("stops by itself, and by an event that nobody handles", async () => {
    const first = await start();
    const reason = first.processes.exitOf(first.pid);
    first.processes.cast(first.pid, "end");
    expect(await reason).toBe("ended");
    const second = await start();
    second.processes.cast(second.pid, "lock");
    await expect(second.processes.call(second.pid, 1)).rejects.toMatchObject({
      code: "process_exited",
      message: expect.stringMatching(/no call in state 'locked'/),
    });
  });
});

describe("an event manager", () => {
  test("tells its handlers in order, and one that throws is gone alone", async () => {
    const { processes, crashes } = new Scene();
    const manager = await EventManager.start(processes);
    const log: unknown[] = [];
    await manager.addHandler("first", {
      handleEvent: (event) => log.push(`first ${event as string}`),
    });
    await manager.addHandler("broken", {
      handleEvent: (event) => {
        if (event === "two") throw new Error("broken");
      },
      handleCall: async () => "called",
      terminate: (reason) => log.push(`gone by ${(reason as Error).message}`),
    });
    await manager.addHandler("last", {
      handleEvent: (event) => log.push(`last ${event as string}`),
    });
    expect(await manager.call("broken", 1)).toBe("called");
    manager.notify("one");
    await manager.syncNotify("two");
    expect(log).toEqual(["first one", "last one", "first two", "gone by broken", "last two"]);
    expect(await manager.handlers()).toEqual(["first", "last"]);
    expect(crashes).toHaveLength(1);
    await expect(manager.call("broken", 1)).rejects.toMatchObject({ code: "noproc" });
    await expect(manager.addHandler("last", { handleEvent() {} })).rejects.toMatchObject({
      code: "name_taken",
    });
    expect(await manager.removeHandler("last")).toBe(true);
    expect(await manager.removeHandler("last")).toBe(false);
    await manager.stop();
  });
});

describe("an agent", () => {
  test("is read and changed one function at a time", async () => {
    const { processes } = new Scene();
    const agent = await Agent.start(processes, () => 1);
    const slow = agent.update(async (count) => {
      await settled();
      return count + 1;
    });
    agent.cast((count) => count * 10);
    expect(await agent.getAndUpdate((count) => [`was ${count}`, count + 1])).toBe("was 20");
    await slow;
    expect(await agent.get((count) => count)).toBe(21);
    await agent.stop();
    await expect(agent.get((count) => count)).rejects.toMatchObject({ code: "noproc" });
  });
});

describe("a task", () => {
  test("resolves with what its function does, in a process of its own", async () => {
    const { tasks, processes } = new Scene();
    const task = tasks.run(async (self) => {
      await settled();
      return self.pid.serial;
    });
    expect(await task.result).toBe(task.pid.serial);
    expect(processes.list()).toEqual([]);
  });

  test("rejects with what its function throws, and can be stopped and aborted", async () => {
    const { tasks } = new Scene();
    const thrown = new Error("broken");
    await expect(
      tasks.run(() => {
        throw thrown;
      }).result,
    ).rejects.toBe(thrown);
    const stopped = tasks.run(() => new Promise(() => {}));
    stopped.stop();
    await expect(stopped.result).rejects.toMatchObject({ code: "process_exited" });
    const abort = new AbortController();
    const aborted = tasks.run(() => new Promise(() => {}), { signal: abort.signal });
    abort.abort();
    await expect(aborted.result).rejects.toMatchObject({ context: { reason: "aborted" } });
  });

  test("that is linked shares its failure with the process that runs it", async () => {
    const { tasks, processes } = new Scene();
    const pid = processes.spawn(() => {
      tasks.runLink(() => {
        throw new Error("broken");
      });
    });
    const reason = processes.exitOf(pid);
    processes.send(pid, 1);
    expect(await reason).toMatchObject({ message: "broken" });
  });
});
