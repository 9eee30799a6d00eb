import { comparePids, isExit, type MailboxPolicy, type Pid, parsePid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PLACES, type Place } from "./otp-places.ts";
import { Probe } from "./probe.ts";

describe.each(PLACES)("$name", ({ open }) => {
  let place: Place;
  let processes: Place["here"]["beam"]["processes"];
  let probe: Probe;
  beforeEach(async () => {
    place = await open();
    processes = place.here.beam.processes;
    probe = new Probe(place.here, { trapExit: true });
  });
  afterEach(async () => place.close());

  const watch = (pid: Pid, watcher = probe): (() => void) => {
    return processes.monitor(pid, (down) => processes.send(watcher.pid, down));
  };

  describe("a call", () => {
    test("is answered with what the handler resolves to", async () => {
      const pid = await place.subject();
      expect(await place.order(pid, "echo", { deep: [1, "two", null] })).toEqual({
        deep: [1, "two", null],
      });
    });

    test("carries pids, which name the same processes over there", async () => {
      const pid = await place.subject();
      const echoed = (await place.order(pid, "echo", probe.pid)) as Pid;
      expect(echoed.equals(probe.pid)).toBe(true);
      expect(((await place.order(pid, "pid")) as Pid).equals(pid)).toBe(true);
      expect(String(echoed)).toBe(String(probe.pid));
    });

    test("to a process that is gone is `noproc`", async () => {
      const pid = await place.subject();
      await processes.stop(pid);
      await expect(place.order(pid, "echo")).rejects.toMatchObject({ code: "noproc" });
    });

    test("to a process that ends before it answers says so", async () => {
      const pid = await place.subject();
      const call = place.order(pid, "throw", "broken");
      await expect(call).rejects.toMatchObject({ code: "process_exited" });
      const second = await place.subject();
      const silence = place.order(second, "silence");
      silence.catch(() => {});
      processes.exit(second, "kill");
      await expect(silence).rejects.toMatchObject({ code: "process_exited" });
    });

    test("that is not answered in time ends, and the late answer is dropped", async () => {
      const pid = await place.subject();
      const late = processes.call(
        pid,
        { order: "later", argument: { ms: 150, value: "late" } },
        { timeoutMs: 20 },
      );
      await expect(late).rejects.toMatchObject({ code: "timeout" });
      expect(await place.order(pid, "later", { ms: 200, value: "in time" })).toBe("in time");
    });

    test("can be aborted", async () => {
      const pid = await place.subject();
      const abort = new AbortController();
      const call = processes.call(pid, { order: "silence" }, { signal: abort.signal });
      abort.abort(new Error("enough"));
      await expect(call).rejects.toMatchObject({ code: "aborted" });
    });
  });

  describe("messages", () => {
    test("arrive in the order they were sent, each once", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      for (let number = 0; number < 2_000; number++) {
        while (!processes.send(pid, number)) await processes.drained(pid);
      }
      await probe.next((message) => (message as { reported?: number }).reported === 1_999);
      const reported = probe.got.map((message) => (message as { reported: number }).reported);
      expect(reported).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
    });

    test("that a receive does not want keep their order", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      const wanted = place.order(pid, "receive", "x");
      for (const number of [1, 2, 3]) processes.send(pid, number);
      processes.send(pid, { wanted: "x", value: "found" });
      expect(await wanted).toBe("found");
      await probe.next((message) => (message as { reported?: number }).reported === 3);
      expect(probe.got).toEqual([{ reported: 1 }, { reported: 2 }, { reported: 3 }]);
    });
  });

  test("a message of cast is told apart", async () => {
    const pid = await place.subject();
    await place.order(pid, "report", probe.pid);
    processes.cast(pid, 1);
    processes.send(pid, 2);
    await probe.next((message) => (message as { reported?: number }).reported === 2);
    expect(probe.got).toEqual([{ cast: 1 }, { reported: 2 }]);
  });

  test("messages are handled one at a time, also across an await", async () => {
    const pid = await place.server("Server");
    const calls = [1, 2].map(async () => processes.call(pid, "slowly"));
    const [, log] = (await Promise.all(calls)) as string[][];
    expect(log?.slice(1)).toEqual(["begin", "end", "begin", "end"]);
  });

  describe("a timer", () => {
    test("sends its message later, unless it is cancelled", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      const timer = processes.sendAfter(60_000, pid, "never");
      processes.sendAfter(5, pid, "later");
      await probe.next((message) => (message as { reported?: string }).reported === "later");
      expect(processes.cancelTimer(timer)).toBeGreaterThan(0);
      expect(processes.cancelTimer(timer)).toBeUndefined();
    });

    test("of the process over there does so too", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      await place.order(pid, "sendAfter", { ms: 60_000, message: "never" });
      expect(await place.order(pid, "cancelTimer")).toBeGreaterThan(0);
      await place.order(pid, "sendAfter", { ms: 5, message: "later" });
      await probe.next((message) => (message as { reported?: string }).reported === "later");
    });

    test("ends a receive that waits too long", async () => {
      const pid = await place.subject();
      expect(await place.order(pid, "receive within", 5)).toBe("timeout");
      expect(await place.order(pid, "echo", 1)).toBe(1);
    });
  });

  describe("a full mailbox", () => {
    test.each<[MailboxPolicy, number[]]>([
      ["block", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["credit", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ["dropNewest", [0, 1]],
      ["dropOldest", [8, 9]],
    ])("of policy %s keeps %j of ten messages", async (policy, kept) => {
      const pid = await place.subject({ mailbox: { messagesMax: 2, policy } });
      await place.order(pid, "report", probe.pid);
      const opened = place.order(pid, "open");
      const isBusy = async () => (await processes.processInfo(pid))?.status === "busy";
      await expect.poll(isBusy).toBe(true);
      const isBlocking = kept.length === 10;
      const sent = (async () => {
        for (let number = 0; number < 10; number++) {
          while (!processes.send(pid, number) && isBlocking) await processes.drained(pid);
        }
      })();
      const dropped = async () => (await processes.processInfo(pid))?.mailbox.dropped;
      await expect.poll(dropped).toBe(10 - kept.length);
      expect((await processes.processInfo(pid))?.mailbox).toMatchObject({ messagesMax: 2 });
      processes.send(pid, { open: true }); // taken at once: it is what the process waits for
      expect(await opened).toBe("opened");
      await sent;
      await probe.next(() => probe.got.length === kept.length);
      expect(probe.got).toEqual(kept.map((reported) => ({ reported })));
    });
  });

  describe("a process that is started over there by another one", () => {
    test("ends it by its failure where they are linked, and not by a normal end", async () => {
      const pid = await place.subject();
      watch(pid);
      const [first, second] = [
        (await place.order(pid, "spawnLink")) as Pid,
        (await place.order(pid, "spawnLink")) as Pid,
      ];
      processes.send(first, "normal");
      expect(await processes.exitOf(first)).toMatch(/^(?:normal|noproc)$/);
      expect(await place.order(pid, "echo", 1)).toBe(1);
      processes.send(second, "broken");
      expect(await probe.down()).toMatchObject({ reason: "broken" });
    });

    test("is told of once where it is monitored", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      processes.send((await place.order(pid, "spawnMonitor")) as Pid, "over");
      await probe.next(() => true);
      expect(await place.order(pid, "echo", 1)).toBe(1);
      expect(probe.got).toMatchObject([{ reported: { kind: "DOWN", reason: "over" } }]);
    });
  });

  test("a process that was killed in an await does nothing any more", async () => {
    const [pid, other] = [await place.subject(), await place.subject()];
    const call = place.order(pid, "go on", { ms: 20, to: probe.pid });
    call.catch(() => {});
    await processes.processInfo(pid);
    processes.exit(pid, "kill");
    await expect(call).rejects.toMatchObject({ code: "process_exited" });
    // Its timer was set before the one of this answer.
    expect(await place.order(other, "later", { ms: 40, value: "later" })).toBe("later");
    expect(probe.got).toEqual([]);
  });

  describe("a name", () => {
    test("leads to its process from anywhere, is its own, and free when it has ended", async () => {
      const pid = await place.subject({ name: "only" });
      const to = { node: pid.node, name: "only" };
      expect(await processes.lookup(to)).toEqual(pid);
      expect(await processes.call(to, { order: "echo", argument: 1 })).toBe(1);
      await expect(place.subject({ name: "only" })).rejects.toMatchObject({ code: "name_taken" });
      processes.exit(pid, "kill");
      await expect.poll(async () => processes.lookup(to)).toBeUndefined();
      await expect(processes.call(to, 1)).rejects.toMatchObject({ code: "noproc" });
      const heir = await place.subject({ name: "only" });
      expect(await processes.lookup(to)).toEqual(heir);
    });
  });

  test("a pid can be written down, read and compared", async () => {
    const [first, second] = [await place.subject(), await place.subject()];
    const read = parsePid(String(first));
    expect(read.equals(first)).toBe(true);
    expect(await place.order(read, "echo", 1)).toBe(1);
    expect(comparePids(read, first)).toBe(0);
    expect(Math.sign(comparePids(first, second))).toBe(-Math.sign(comparePids(second, first)));
    expect(read.equals(second)).toBe(false);
  });

  describe("a monitor", () => {
    test("tells once for each that there is", async () => {
      const pid = await place.subject();
      watch(pid);
      watch(pid);
      processes.exit(pid, "over");
      await probe.next(() => probe.got.length === 2);
      await expect(place.order(pid, "echo")).rejects.toMatchObject({ code: "noproc" });
      expect(probe.got).toMatchObject([{ reason: "over" }, { reason: "over" }]);
    });

    test("that is flushed leaves no message behind", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      const gone = new Probe(place.here).pid;
      await processes.stop(gone);
      const flushed = place.order(pid, "flush", gone);
      await expect.poll(async () => (await processes.processInfo(pid))?.mailbox.messages).toBe(1);
      processes.send(pid, { open: true });
      await flushed;
      expect(await place.order(pid, "echo", 1)).toBe(1);
      expect(probe.got).toEqual([]);
    });

    test.each([
      ["exit", "normal", "normal"],
      ["exit", { kind: "shutdown", detail: 7 }, { kind: "shutdown", detail: 7 }],
    ])("tells once why a process ended: %s %j", async (order, argument, reason) => {
      const pid = await place.subject();
      watch(pid);
      processes.send(pid, { order, argument });
      const down = await probe.down();
      expect(down).toMatchObject({ kind: "DOWN", reason });
      expect(down.pid.equals(pid)).toBe(true);
      await expect(place.order(pid, "echo")).rejects.toMatchObject({ code: "noproc" });
      expect(probe.count(() => true)).toBe(1);
    });

    test("has what the handler threw as the reason", async () => {
      const pid = await place.subject();
      watch(pid);
      processes.send(pid, { order: "throw", argument: "broken" });
      const { reason } = await probe.down();
      expect(reason).toBeInstanceOf(Error);
      expect((reason as Error).message).toBe("broken");
    });

    test("of a process that is gone says `noproc`", async () => {
      const pid = await place.subject();
      await processes.stop(pid);
      watch(pid);
      expect(await probe.down()).toMatchObject({ reason: "noproc" });
    });

    test("that was ended tells nothing", async () => {
      const [first, second] = [await place.subject(), await place.subject()];
      const stop = watch(first);
      watch(second);
      stop();
      processes.exit(first, "kill");
      processes.exit(second, "kill");
      const down = await probe.down();
      expect(down.pid.equals(second)).toBe(true);
      expect(probe.got).toHaveLength(1);
    });

    test("speaks after every message that was sent before the end", async () => {
      const pid = await place.subject();
      watch(pid);
      processes.send(pid, { order: "count", argument: { to: probe.pid, messages: 500 } });
      expect(await probe.down()).toMatchObject({ reason: "counted" });
      await probe.next((message) => message === 499);
      expect(probe.got.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, index) => index));
      expect(probe.got).toHaveLength(501);
    });

    test("held over there tells of a process here", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      const here = new Probe(place.here);
      await place.order(pid, "monitor", here.pid);
      processes.exit(here.pid, "over");
      const told = await probe.next<{ reported: { reason: unknown; pid: Pid } }>(
        (message) => (message as { reported?: unknown }).reported !== undefined,
      );
      expect(told.reported).toMatchObject({ kind: "DOWN", reason: "over" });
      expect(told.reported.pid.equals(here.pid)).toBe(true);
    });
  });

  describe("a link", () => {
    test("ends the other end with the same reason", async () => {
      const pid = await place.subject();
      const linked = new Probe(place.here);
      linked.link(pid);
      watch(linked.pid);
      processes.send(pid, { order: "exit", argument: "broken" });
      expect(await probe.down()).toMatchObject({ reason: "broken" });
      expect(linked.isAlive).toBe(false);
    });

    test("is told to one that traps exits", async () => {
      const pid = await place.subject();
      probe.link(pid);
      processes.send(pid, { order: "exit", argument: "broken" });
      const exit = await probe.exit();
      expect(exit).toMatchObject({ kind: "EXIT", reason: "broken" });
      expect(exit.from.equals(pid)).toBe(true);
      expect(probe.isAlive).toBe(true);
    });

    test("works in the other direction too", async () => {
      const pid = await place.subject();
      const linked = new Probe(place.here);
      await place.order(pid, "link", linked.pid);
      watch(pid);
      processes.exit(linked.pid, "broken here");
      expect(await probe.down()).toMatchObject({ reason: "broken here" });
    });

    test("does not pass a normal end on", async () => {
      const pid = await place.subject();
      const linked = new Probe(place.here);
      linked.link(pid);
      probe.link(pid);
      processes.send(pid, { order: "exit", argument: "normal" });
      expect(await probe.exit()).toMatchObject({ reason: "normal" });
      expect(linked.isAlive).toBe(true);
    });

    test("that was undone passes nothing on", async () => {
      const pid = await place.subject();
      const linked = new Probe(place.here);
      linked.link(pid);
      await place.order(pid, "echo");
      linked.unlink(pid);
      watch(pid);
      processes.send(pid, { order: "exit", argument: "broken" });
      await probe.down();
      expect(linked.isAlive).toBe(true);
    });

    test("to a process that is gone is an exit of `noproc`", async () => {
      const pid = await place.subject();
      await processes.stop(pid);
      probe.link(pid);
      expect(await probe.exit()).toMatchObject({ reason: "noproc" });
    });

    test("from the start ends a process whose parent ends", async () => {
      const parent = new Probe(place.here);
      const pid = await place.subject({ link: parent.pid });
      watch(pid);
      processes.exit(parent.pid, "parent gone");
      expect(await probe.down()).toMatchObject({ reason: "parent gone" });
    });
  });

  describe("an exit signal", () => {
    test("is trapped or not as the process says at the time", async () => {
      const pid = await place.subject();
      await place.order(pid, "report", probe.pid);
      watch(pid);
      await place.order(pid, "trapExit", true);
      processes.exit(pid, "first");
      await probe.next((message) => isExit((message as { reported?: unknown }).reported));
      await place.order(pid, "trapExit", false);
      processes.exit(pid, "second");
      expect(await probe.down()).toMatchObject({ reason: "second" });
    });

    test("of a link is one like any other, although its reason is kill", async () => {
      const pid = await place.subject();
      probe.link(pid);
      processes.send(pid, { order: "exit", argument: "kill" });
      expect(await probe.exit()).toMatchObject({ reason: "kill" });
      expect(probe.isAlive).toBe(true);
    });

    test("of kill ends a process that traps exits, as killed", async () => {
      const pid = await place.subject({ trapExit: true });
      watch(pid);
      processes.exit(pid, "kill");
      expect(await probe.down()).toMatchObject({ reason: "killed" });
    });

    test("of any other reason is a message to one that traps exits", async () => {
      const pid = await place.subject({ trapExit: true });
      await place.order(pid, "report", probe.pid);
      processes.exit(pid, "please");
      const told = await probe.next(() => true);
      expect(told).toMatchObject({ reported: { kind: "EXIT", reason: "please" } });
      expect(await place.order(pid, "echo", 1)).toBe(1);
    });

    test("ends one that does not", async () => {
      const pid = await place.subject();
      watch(pid);
      processes.exit(pid, "please");
      expect(await probe.down()).toMatchObject({ reason: "please" });
    });

    test("of a normal end is nothing to another process", async () => {
      const pid = await place.subject();
      processes.exit(pid, "normal");
      expect(await place.order(pid, "echo", 1)).toBe(1);
    });

    test("ends a process in the middle of a handler that never ends", async () => {
      const pid = await place.subject();
      const silence = place.order(pid, "silence");
      silence.catch(() => {});
      watch(pid);
      processes.exit(pid, "please");
      expect(await probe.down()).toMatchObject({ reason: "please" });
    });
  });

  test("a stop lets a process handle what came before, and clean up", async () => {
    const pid = await place.subject();
    await place.order(pid, "report", probe.pid);
    processes.send(pid, 1);
    processes.send(pid, 2);
    await processes.stop(pid, "enough");
    await probe.next((message) => (message as { terminated?: unknown }).terminated === "enough");
    expect(probe.got).toEqual([{ reported: 1 }, { reported: 2 }, { terminated: "enough" }]);
  });

  test("what a process is doing can be asked from elsewhere", async () => {
    const pid = await place.subject({ trapExit: true });
    probe.link(pid);
    await place.order(pid, "echo");
    expect(await processes.processInfo(pid)).toMatchObject({
      kind: place.kind,
      status: "waiting",
      trapExit: true,
      mailbox: { messages: 0, bytes: 0, dropped: 0 },
      links: [probe.pid],
    });
    await processes.stop(pid);
    expect(await processes.processInfo(pid)).toBeUndefined();
  });

  describe("a server over there", () => {
    beforeEach(() => processes.register("reports", probe.pid));

    test("has its callbacks called for what they are for", async () => {
      const pid = await place.server("Server");
      processes.cast(pid, 1);
      processes.send(pid, 2);
      expect(await processes.call(pid, "log")).toEqual(["continue set up", "cast 1", "info 2"]);
      expect(await processes.call(pid, "later")).toBe("answered later");
      processes.cast(pid, "time out");
      expect(await probe.next(() => true)).toBe("timeout");
    });

    test("answers the call that stops it, and cleans up", async () => {
      const pid = await place.server("Server");
      watch(pid);
      expect(await processes.call(pid, "stop")).toEqual(["continue set up"]);
      expect(await probe.down()).toMatchObject({ reason: "enough" });
      expect(probe.got[0]).toBe("terminate enough");
    });

    test("may be a machine, with states, timeouts and what is put off", async () => {
      const pid = await place.server("machine");
      for (const thing of ["cat", "dog"]) processes.cast(pid, thing);
      expect(await processes.call(pid, "open")).toBe("opened");
      await probe.next(() => probe.got.length === 3);
      expect(probe.got).toEqual(["shut from undefined", ["cat", "dog"], "shut from open"]);
    });
  });

  describe("a supervisor over there", () => {
    beforeEach(() => processes.register("reports", probe.pid));

    const heard = async (...reports: string[]): Promise<void> => {
      await probe.next(() => probe.got.length >= reports.length);
      expect(probe.got.splice(0)).toEqual(reports);
    };
    const childOf = async (supervisor: Pid, id: string): Promise<Pid> => {
      const children = await place.here.beam.supervisors.whichChildren(supervisor);
      return children.find((child) => child.id === id)?.pid as Pid;
    };

    test.each([
      ["oneForOne", ["-b broken", "+b"]],
      ["oneForAll", ["-b broken", "-c shutdown", "-a shutdown", "+a", "+b", "+c"]],
      ["restForOne", ["-b broken", "-c shutdown", "+b", "+c"]],
    ] as const)(
      "of strategy %s restarts whom it has to, and ends in order",
      async (name, lines) => {
        const pid = await place.server(name);
        await heard("+a", "+b", "+c");
        processes.cast(await childOf(pid, "b"), "throw");
        await heard(...lines);
        expect(await place.here.beam.supervisors.countChildren(pid)).toMatchObject({ running: 3 });
        await place.here.beam.supervisors.stop(pid);
        await heard("-c shutdown", "-b shutdown", "-a shutdown");
      },
    );

    test("restarts the permanent, and the transient that failed", async () => {
      const { supervisors } = place.here.beam;
      const pid = await place.server("kinds");
      await heard("+permanent", "+transient", "+temporary");
      processes.cast(await childOf(pid, "permanent"), "normal");
      await heard("-permanent normal", "+permanent");
      processes.cast(await childOf(pid, "transient"), "throw");
      await heard("-transient broken", "+transient");
      processes.cast(await childOf(pid, "transient"), "shutdown");
      processes.cast(await childOf(pid, "temporary"), "throw");
      await heard("-transient shutdown", "-temporary broken");
      expect(await supervisors.countChildren(pid)).toMatchObject({ specs: 2, running: 1 });
    });

    test("does what it is asked from here", async () => {
      const { supervisors } = place.here.beam;
      const pid = await place.server("oneForOne");
      await heard("+a", "+b", "+c");
      await supervisors.terminateChild(pid, "b");
      await heard("-b shutdown");
      const heir = await supervisors.restartChild(pid, "b");
      await heard("+b");
      expect((await childOf(pid, "b")).equals(heir)).toBe(true);
      const refused = { code: "child_exists" };
      await expect(supervisors.deleteChild(pid, "b")).rejects.toMatchObject(refused);
      await supervisors.terminateChild(pid, "b");
      await supervisors.deleteChild(pid, "b");
      expect(await supervisors.countChildren(pid)).toMatchObject({ specs: 2 });
    });

    test("that restarts too often ends with all of its children", async () => {
      const pid = await place.server("oneForOne");
      await heard("+a", "+b", "+c");
      for (let times = 0; times < 3; times++) {
        processes.cast(await childOf(pid, "a"), "throw");
        await heard("-a broken", "+a");
      }
      const reason = processes.exitOf(pid);
      processes.cast(await childOf(pid, "a"), "throw");
      await heard("-a broken", "-c shutdown", "-b shutdown");
      expect(await reason).toBe("shutdown");
    });
  });

  test("a dynamic supervisor restarts each child over there alone", async () => {
    const { supervisors } = place.here.beam;
    const pid = await supervisors.startDynamic();
    const child = { id: "subject", startWith: async () => place.subject() };
    const first = await supervisors.startChild(pid, child);
    const second = await supervisors.startChild(pid, child);
    processes.send(first, { order: "throw", argument: "broken" });
    const isReplaced = async () => {
      const children = await supervisors.whichChildren(pid);
      return children.every(({ pid: one }) => one !== undefined && !one.equals(first));
    };
    await expect.poll(isReplaced).toBe(true);
    expect(await supervisors.countChildren(pid)).toMatchObject({ running: 2 });
    expect(await place.order(second, "echo", 1)).toBe(1);
    await supervisors.stop(pid);
    await expect(place.order(second, "echo")).rejects.toMatchObject({ code: "noproc" });
  });

  test("a supervisor restarts a child over there", async () => {
    const { supervisors } = place.here.beam;
    const started: Pid[] = [];
    const pid = await supervisors.start({
      children: [
        {
          id: "subject",
          startWith: async () => {
            const child = await place.subject();
            started.push(child);
            return child;
          },
        },
      ],
    });
    watch(started[0] as Pid);
    processes.send(started[0] as Pid, { order: "throw", argument: "broken" });
    await probe.down();
    await expect.poll(() => started.length).toBe(2);
    expect(await place.order(started[1] as Pid, "echo", "again")).toBe("again");
    await supervisors.stop(pid);
    await expect(place.order(started[1] as Pid, "echo")).rejects.toMatchObject({ code: "noproc" });
  });
});
