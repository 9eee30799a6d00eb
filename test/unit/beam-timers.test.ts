import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Envelope } from "../../dist/ts/beam/envelope.js";
import {
  type ChildOptions,
  GenServer,
  type MailboxPolicy,
  type Pid,
  type Self,
  StateMachine,
} from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A process whose handler waits until it is let, with its mailbox full behind that. */
async function fullProcess(policy: MailboxPolicy, scene = new Scene()) {
  const got: unknown[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const pid = scene.processes.spawn(
    async (message: unknown) => {
      got.push(message);
      await gate;
    },
    { mailbox: { messagesMax: 2, policy } },
  );
  scene.processes.send(pid, "busy with");
  await settled();
  for (const message of [1, 2]) scene.processes.send(pid, message);
  return { ...scene, pid, got, open: () => open() };
}

describe("a message of sendAfter that finds a full mailbox", () => {
  test.each(["block", "credit"] as const)(
    "of policy %s waits for room, in order, and is seen to",
    async (policy) => {
      const { processes, runtime, pid, got, open } = await fullProcess(policy);
      for (const delayMs of [20, 10, 30]) processes.sendAfter(delayMs, pid, `after ${delayMs}`);
      vi.advanceTimersByTime(30);
      expect(runtime.backlogs.size).toBe(3);
      open();
      await settled();
      expect(got).toEqual(["busy with", 1, 2, "after 10", "after 20", "after 30"]);
      expect(runtime.backlogs.size).toBe(0);
      expect(runtime.counts.messagesDropped).toBe(0);
    },
  );

  test.each([
    ["dropNewest", [1, 2]],
    ["dropOldest", [2, "late"]],
  ] as const)("of policy %s costs a message, which is counted", async (policy, kept) => {
    const { processes, runtime, pid, got, open } = await fullProcess(policy);
    processes.sendAfter(10, pid, "late");
    vi.advanceTimersByTime(10);
    open();
    await settled();
    expect(got).toEqual(["busy with", ...kept]);
    expect(runtime.counts.messagesDropped).toBe(1);
  });

  test("waits for one that is found by its name", async () => {
    const { processes, pid, got, open } = await fullProcess("block");
    processes.register("full", pid);
    processes.sendAfter(10, "full", "late");
    vi.advanceTimersByTime(10);
    open();
    await settled();
    expect(got).toEqual(["busy with", 1, 2, "late"]);
  });
});

describe("a timer", () => {
  test("ends with the process that it is for", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(() => {});
    const timer = processes.sendAfter(1_000, pid, "tick");
    processes.exit(pid, "kill");
    expect(vi.getTimerCount()).toBe(0);
    expect(processes.cancelTimer(timer)).toBeUndefined();
  });

  test("ends when its isolate leaves", () => {
    const { processes, runtime } = new Scene();
    processes.sendAfter(1_000, "nobody yet", "tick");
    runtime.close("shutdown");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("for somebody elsewhere that cannot be sent is counted", async () => {
    const { processes, runtime } = new Scene();
    const send = () => {
      throw new TypeError("cannot be encoded");
    };
    runtime.connect({ send } as never, undefined as never);
    processes.sendAfter(1, { node: "far", name: "away" }, () => {});
    vi.advanceTimersByTime(1);
    await settled();
    expect(runtime.counts.timersFailed).toBe(1);
  });

  test("says how much was left of it", () => {
    const { processes } = new Scene();
    const pid = processes.spawn(() => {});
    const timer = processes.sendAfter(1_000, pid, "tick");
    vi.advanceTimersByTime(400);
    expect(processes.cancelTimer(timer)).toBe(600);
    expect(processes.cancelTimer(timer)).toBeUndefined();
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, "10" as never])(
    "of %s ms is refused",
    async (delayMs) => {
      const { processes } = new Scene();
      const refused = expect.objectContaining({ code: "invalid_options" });
      const pid = processes.spawn(() => {});
      expect(() => processes.sendAfter(delayMs, pid, 1)).toThrow(refused);
      if (delayMs === Number.POSITIVE_INFINITY) return;
      await expect(processes.call(pid, 1, { timeoutMs: delayMs })).rejects.toEqual(refused);
      const receiving = processes.spawn(async (_message, self: Self) => {
        return self.receive(undefined, { timeoutMs: delayMs }).catch((thrown) => thrown);
      });
      expect(await processes.call(receiving, 1)).toEqual(refused);
    },
  );
});

describe("a receive", () => {
  test("without end waits for its message", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(async (_message, self: Self) => {
      return self.receive(undefined, { timeoutMs: Number.POSITIVE_INFINITY });
    });
    const call = processes.call(pid, 1);
    await settled();
    vi.advanceTimersByTime(1_000);
    processes.send(pid, "at last");
    expect(await call).toBe("at last");
  });

  test("gets what it waits for although the mailbox is full", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(
      async (_message, self: Self) => self.receive((message) => message === "wanted"),
      { mailbox: { messagesMax: 1, policy: "block" } },
    );
    const call = processes.call(pid, 1);
    await settled();
    expect(processes.send(pid, "other")).toBe(true);
    expect(processes.send(pid, "one more")).toBe(false);
    expect(processes.send(pid, "wanted")).toBe(true);
    expect(await call).toBe("wanted");
  });
});

describe("what a process tells itself", () => {
  const full = { mailbox: { messagesMax: 1, policy: "dropOldest" as const } };

  test("of a server's timeout is not lost in a full mailbox", async () => {
    const { processes } = new Scene();
    const log: unknown[] = [];
    class Server extends GenServer {
      override handleInfo(message: unknown): unknown {
        log.push(message);
        if (message !== "begin") return undefined;
        this.timeoutAfter(10);
        return this.self.receive((other) => other === "go on");
      }
      override handleTimeout(): void {
        log.push("timeout");
      }
    }
    const pid = await processes.start(Server, full);
    processes.send(pid, "begin");
    await settled();
    processes.send(pid, "go on");
    await settled();
    vi.advanceTimersByTime(10);
    processes.send(pid, "next");
    await settled();
    expect(log).toEqual(["begin", "timeout"]); // there was no room for what came behind it
  });

  test("of a machine's timeout is not lost in a full mailbox", async () => {
    const { processes } = new Scene();
    const log: string[] = [];
    class Machine extends StateMachine<"only"> {
      readonly states = {
        only: { timeout: (name: string) => void log.push(name), info: () => {} },
      };
      init(): "only" {
        this.timeout("mine", 10);
        return "only";
      }
    }
    const pid = await processes.start(StateMachine.blueprint(Machine), full);
    vi.advanceTimersByTime(10);
    for (const message of [1, 2, 3]) processes.send(pid, message);
    await settled();
    expect(log).toEqual(["mine"]);
  });
});

describe("a restart that waits for its back-off", () => {
  const crashing = (id: string): ChildOptions => ({
    id,
    start: () => {
      throw new Error("broken");
    },
  });

  test.each(["block", "dropNewest", "dropOldest"] as const)(
    "is not lost in a full mailbox of policy %s",
    async (policy) => {
      const { processes, supervisors } = new Scene();
      const pid = await supervisors.start({
        children: [crashing("a")],
        backoff: { firstMs: 10, maxMs: 10 },
        mailbox: { messagesMax: 1, policy },
      });
      const [first] = await supervisors.whichChildren(pid);
      processes.send(first!.pid!, "now");
      await settled();
      processes.send(pid, "fills it"); // has its turn behind the timer
      vi.advanceTimersByTime(10);
      processes.send(pid, "and once more");
      await settled();
      expect(await supervisors.whichChildren(pid)).toMatchObject([{ state: "running" }]);
    },
  );

  test("comes then, and later each time within the window of the intensity", async () => {
    const { processes, supervisors } = new Scene();
    const pid = await supervisors.start({
      children: [crashing("a")],
      backoff: { firstMs: 10, maxMs: 15, factor: 2 },
    });
    for (const waitMs of [10, 15, 15]) {
      const [running] = await supervisors.whichChildren(pid);
      processes.send(running!.pid!, "now");
      await settled();
      vi.advanceTimersByTime(waitMs - 1);
      expect(await supervisors.whichChildren(pid)).toMatchObject([
        { state: "restarting", pid: undefined },
      ]);
      vi.advanceTimersByTime(1);
      expect(await supervisors.whichChildren(pid)).toMatchObject([{ state: "running" }]);
    }
  });

  test("cannot be asked for, nor can the child be deleted, but terminated", async () => {
    const { processes, supervisors } = new Scene();
    const pid = await supervisors.start({
      children: [crashing("a")],
      backoff: { firstMs: 10, maxMs: 10 },
    });
    const [first] = await supervisors.whichChildren(pid);
    processes.send(first!.pid!, "now");
    await settled();
    const refused = { code: "child_restarting" };
    await expect(supervisors.restartChild(pid, "a")).rejects.toMatchObject(refused);
    await expect(supervisors.deleteChild(pid, "a")).rejects.toMatchObject(refused);
    await supervisors.terminateChild(pid, "a");
    expect(vi.getTimerCount()).toBe(0);
    await supervisors.restartChild(pid, "a");
    expect(await supervisors.whichChildren(pid)).toMatchObject([{ state: "running" }]);
    await supervisors.terminateChild(pid, "a");
    await supervisors.deleteChild(pid, "a");
    expect(await supervisors.whichChildren(pid)).toEqual([]);
  });

  test("is a child's own: one that is started with another is at rest", async () => {
    const { processes, supervisors } = new Scene();
    let starts = 0;
    const elder = {
      init: () => {
        if (++starts === 2) throw new Error("not today");
      },
      handle: () => {},
    };
    const pid = await supervisors.start({
      strategy: "oneForAll",
      children: [{ id: "elder", start: elder }, crashing("a")],
      backoff: { firstMs: 10, maxMs: 10 },
    });
    const states = async () => {
      return (await supervisors.whichChildren(pid)).map(({ state }) => state);
    };
    processes.send((await supervisors.whichChildren(pid))[1]!.pid!, "now");
    await settled();
    expect(await states()).toEqual(["running", "restarting"]);
    vi.advanceTimersByTime(10);
    expect(await states()).toEqual(["restarting", "stopped"]);
    vi.advanceTimersByTime(10);
    expect(await states()).toEqual(["running", "running"]);
  });

  test("that was given up leaves no timer to a dynamic supervisor", async () => {
    const { processes, supervisors } = new Scene();
    const pid = await supervisors.startDynamic({ backoff: { firstMs: 10, maxMs: 10 } });
    const child: Pid = await supervisors.startChild(pid, crashing("a"));
    processes.send(child, "now");
    await settled();
    expect(await supervisors.whichChildren(pid)).toMatchObject([{ state: "restarting" }]);
    await supervisors.terminateChild(pid, "a");
    expect(vi.getTimerCount()).toBe(0);
    expect(await supervisors.whichChildren(pid)).toEqual([]);
  });

  test.each([2 ** 31, Number.POSITIVE_INFINITY])("of %s ms is refused", async (maxMs) => {
    const { supervisors } = new Scene();
    await expect(supervisors.start({ backoff: { maxMs } })).rejects.toMatchObject({
      code: "invalid_options",
    });
    await expect(
      supervisors.start({ children: [{ ...crashing("a"), shutdown: 2 ** 31 }] }),
    ).rejects.toMatchObject({ code: "invalid_options" });
  });
});

describe("a signal from elsewhere", () => {
  test("comes behind the messages that wait in front of a full mailbox", async () => {
    const { processes, runtime, pid, got, open } = await fullProcess("block");
    const process = runtime.find(pid)!;
    process.trapExit = true;
    void runtime.backlogs.deliver(process, "send", "held");
    const other = processes.spawn(() => {});
    processes.link(pid, other);
    processes.exit(other, "over");
    const stopped = processes.stop(pid);
    open();
    await stopped;
    expect(got).toMatchObject(["busy with", 1, 2, "held", { kind: "EXIT", reason: "over" }]);
  });

  test("or a call comes behind them, and what is sent meanwhile is refused", async () => {
    const { processes, runtime, pid, got, open } = await fullProcess("block");
    const process = runtime.find(pid)!;
    void runtime.backlogs.deliver(process, "send", "held");
    const failures: unknown[] = [];
    const caller = { reply: () => {}, fail: (error: unknown) => failures.push(error) };
    runtime.backlogs.call(process, new Envelope("call", "call", caller));
    runtime.backlogs.call(process, new Envelope("call", "another", caller));
    expect(await processes.processInfo(pid)).toMatchObject({ mailbox: { messages: 2, held: 3 } });
    expect(processes.send(pid, "refused")).toBe(false);
    open();
    await settled();
    expect(got).toEqual(["busy with", 1, 2, "held", "call", "another"]);
    expect(failures).toEqual([]);
  });

  test("or a call that waits when its process ends says so", async () => {
    const { processes, runtime, pid } = await fullProcess("block");
    const failures: unknown[] = [];
    const caller = { reply: () => {}, fail: (error: unknown) => failures.push(error) };
    runtime.backlogs.call(runtime.find(pid)!, new Envelope("call", "call", caller));
    processes.exit(pid, "kill");
    expect(failures).toMatchObject([{ code: "noproc" }]);
    expect(runtime.backlogs.size).toBe(0);
  });

  test("is found by a receive among them", async () => {
    const { processes, runtime } = new Scene();
    const pid = processes.spawn(
      async (_message, self: Self) => [
        await self.receive((message) => message === "held"),
        await self.receive((message) => message !== 1 && message !== 2),
      ],
      { mailbox: { messagesMax: 1, policy: "block" }, trapExit: true },
    );
    const call = processes.call(pid, 1);
    await settled();
    const process = runtime.find(pid)!;
    for (const message of [1, 2, "held"]) void runtime.backlogs.deliver(process, "send", message);
    const other = processes.spawn(() => {});
    processes.link(pid, other);
    processes.exit(other, "over");
    expect(await call).toMatchObject(["held", { kind: "EXIT", reason: "over" }]);
  });
});
