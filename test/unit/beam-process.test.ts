import { describe, expect, test } from "vitest";
import { NO_REPLY } from "../../dist/ts/beam/envelope.js";
import { isDown } from "../../dist/ts/beam/signals.js";
import type { From, Self } from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

describe("a handler", () => {
  test("runs for one message at a time, also across await", async () => {
    const { processes } = new Scene();
    const log: string[] = [];
    const pid = processes.spawn(async (message: number) => {
      log.push(`begin ${message}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${message}`);
    });
    processes.send(pid, 1);
    processes.send(pid, 2);
    await processes.stop(pid);
    expect(log).toEqual(["begin 1", "end 1", "begin 2", "end 2"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("broken"))],
  ])("that %s ends its process and nobody else", async (_how, handler) => {
    const { processes, crashes } = new Scene();
    const [pid, other] = [processes.spawn(handler), processes.spawn(() => "alive")];
    const reason = processes.exitOf(pid);
    processes.send(pid, 1);
    expect(await reason).toMatchObject({ message: "broken" });
    expect(crashes).toHaveLength(1);
    expect(await processes.call(other, 1)).toBe("alive");
  });

  test("that exits is not said to have crashed", async () => {
    const { processes, crashes } = new Scene();
    const pid = processes.spawn((_message, self) => self.exit("enough"));
    processes.send(pid, 1);
    expect(await processes.exitOf(pid)).toBe("enough");
    expect(crashes).toEqual([]);
  });

  test("of a process that was ended goes on without effect", async () => {
    const { processes } = new Scene();
    let goOn = (): void => {};
    const seen: unknown[] = [];
    const other = processes.spawn((message: unknown) => void seen.push(message));
    const pid = processes.spawn(async (_message, self: Self) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      self.link(other);
      throw new Error("too late to matter");
    });
    processes.send(pid, 1);
    await settled();
    processes.exit(pid, "kill");
    goOn();
    await settled();
    expect(processes.isAlive(other)).toBe(true);
    expect((await processes.processInfo(other))?.links).toEqual([]);
  });

  test("knows its process only until it awaits", async () => {
    const { processes } = new Scene();
    const seen: unknown[] = [];
    const pid = processes.spawn(async (_message, self) => {
      seen.push(processes.self() === self.pid);
      await settled();
      seen.push(processes.self());
    });
    processes.send(pid, 1);
    await processes.stop(pid);
    expect(seen).toEqual([true, undefined]);
    expect(() => processes.spawnLink(() => {})).toThrow(
      expect.objectContaining({ code: "not_a_process" }),
    );
  });
});

describe("a call", () => {
  test("is answered later where the handler says so, once", async () => {
    const { processes, runtime } = new Scene();
    let from: From | undefined;
    const pid = processes.spawn((_message, _self, delivery) => {
      from = delivery.from;
      return NO_REPLY;
    });
    const call = processes.call(pid, 1);
    await settled();
    expect((await processes.processInfo(pid))?.callsOpen).toBe(1);
    from?.reply("first");
    from?.reply("second");
    expect(await call).toBe("first");
    expect((await processes.processInfo(pid))?.callsOpen).toBe(0);
    expect(runtime.counts.lateReplies).toBe(0);
  });

  test("that its process took and never answered ends with the process", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(() => NO_REPLY);
    const taken = processes.call(pid, 1);
    await settled();
    const waiting = processes.call(pid, 2);
    processes.exit(pid, "over");
    const exited = { code: "process_exited", context: { reason: "over" } };
    await expect(taken).rejects.toMatchObject(exited);
    await expect(waiting).rejects.toMatchObject(exited);
  });

  test("that its process fails at says so when the process has ended", async () => {
    const { processes } = new Scene();
    let end = (): void => {};
    const pid = processes.spawn({
      handle: () => {
        throw new Error("broken");
      },
      terminate: async () => new Promise<void>((resolve) => (end = resolve)),
    });
    const told: unknown[] = [];
    const call = processes.call(pid, 1).catch((thrown: unknown) => told.push(thrown));
    await settled();
    expect(told).toEqual([]);
    end();
    await call;
    expect(told).toMatchObject([{ code: "process_exited", cause: { message: "broken" } }]);
    expect(processes.isAlive(pid)).toBe(false);
  });

  test("to a full mailbox of policy dropNewest waits, and is not said to be lost", async () => {
    const { processes, runtime } = new Scene();
    const pid = processes.spawn((message) => message, {
      mailbox: { messagesMax: 1, policy: "dropNewest" },
    });
    processes.send(pid, 1);
    expect(await processes.call(pid, 2)).toBe(2);
    expect(runtime.counts.messagesDropped).toBe(0);
  });

  test("whose answer comes too late is counted", async () => {
    const { processes, runtime } = new Scene();
    let from: From | undefined;
    const pid = processes.spawn((_message, _self, delivery) => {
      from = delivery.from;
      return NO_REPLY;
    });
    const abort = new AbortController();
    const call = processes.call(pid, 1, { signal: abort.signal });
    await settled();
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    from?.reply("late");
    expect(runtime.counts.lateReplies).toBe(1);
  });
});

describe("processes that are always busy", () => {
  test("take turns, and let timers and I/O have theirs", async () => {
    const { processes } = new Scene(1);
    const turns = { first: 0, second: 0 };
    let isOver = false;
    const busy = (name: "first" | "second") => (_message: unknown, self: Self) => {
      turns[name]++;
      if (!isOver) self.send(self.pid, 1);
    };
    const pids = [processes.spawn(busy("first")), processes.spawn(busy("second"))];
    for (const pid of pids) processes.send(pid, 1);
    await new Promise<void>((resolve) => {
      processes.sendAfter(
        5,
        processes.spawn(() => resolve()),
        "a timer's turn",
      );
    });
    isOver = true;
    expect(turns.first).toBeGreaterThan(0);
    expect(Math.abs(turns.first - turns.second)).toBeLessThanOrEqual(2 * 128);
  });
});

describe("a match that flushes monitors of its process", () => {
  /** A process in front of a full mailbox: DOWN of `second`, 1, 2; behind them the rest. */
  async function flooded(order: readonly ("down" | "a")[]) {
    const { processes, runtime } = new Scene();
    const [first, second] = [processes.spawn(() => {}), processes.spawn(() => {})];
    let go = (): void => {};
    const ready = new Promise<void>((resolve) => {
      go = resolve;
    });
    const got: unknown[] = [];
    const pid = processes.spawn(
      async (message: unknown, self: Self) => {
        if (message !== "go") return void got.push(message);
        const refs = [self.monitor(first), self.monitor(second)] as const;
        await ready;
        let isArmed = false;
        const awaited = self.receive((one) => {
          if (isArmed && isDown(one) && one.ref === refs[0])
            self.demonitor(refs[0], { flush: true });
          return one === "awaited";
        });
        isArmed = true; // from here on the match sees what goes in
        self.demonitor(refs[1], { flush: true });
        processes.send(self.pid, "awaited");
        got.push(await awaited);
      },
      { mailbox: { messagesMax: 3 } },
    );
    processes.send(pid, "go");
    await settled();
    processes.exit(second, "kill");
    await settled();
    for (const message of [1, 2]) processes.send(pid, message);
    for (const one of order) {
      if (one === "down") processes.exit(first, "kill");
      else void runtime.backlogs.deliver(runtime.find(pid) as never, "send", one);
      await settled();
    }
    go();
    await settled();
    return got.filter((one) => !isDown(one));
  }

  test.each([[["down", "a"]], [["a", "down"]], [["a", "down", "a"]]] as const)(
    "loses and doubles nothing of what waits for room: %j",
    async (order) => {
      const others = order.filter((one) => one === "a");
      expect(await flooded(order)).toEqual(["awaited", 1, 2, ...others]);
    },
  );
});

describe("a receive", () => {
  test("whose match throws ends with that, and not its sender", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(async (_message, self: Self) =>
      self.receive(() => {
        throw new TypeError("no such field");
      }),
    );
    const call = processes.call(pid, 1);
    await settled();
    expect(processes.send(pid, 2)).toBe(true);
    await expect(call).rejects.toMatchObject({ code: "process_exited" });
  });

  test("leaves calls to the handler", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(async (message: string, self: Self) => {
      return message === "wait" ? self.receive() : "handled";
    });
    const waiting = processes.call(pid, "wait");
    const other = processes.call(pid, "other");
    await settled();
    processes.send(pid, "for the receive");
    expect(await waiting).toBe("for the receive");
    expect(await other).toBe("handled");
  });

  test("that takes too long ends", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(async (_message, self: Self) => {
      return self.receive(undefined, { timeoutMs: 1 }).catch(({ code }: { code: string }) => code);
    });
    expect(await processes.call(pid, 1)).toBe("timeout");
  });
});

describe("a name", () => {
  test("is free again when its process ends", async () => {
    const { processes } = new Scene();
    const pid = processes.spawn(() => {}, { name: "only" });
    expect(processes.whereis("only")).toBe(pid);
    expect(() => processes.spawn(() => {}, { name: "only" })).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    expect(processes.list()).toEqual([pid]);
    processes.exit(pid, "kill");
    expect(processes.whereis("only")).toBeUndefined();
    processes.spawn(() => {}, { name: "only" });
    expect(processes.unregister("only")).toBe(true);
    expect(processes.unregister("only")).toBe(false);
  });
});
