import type { Pid } from "foundation-runtime";
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

  describe("a monitor", () => {
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
