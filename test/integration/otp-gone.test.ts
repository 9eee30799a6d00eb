import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FoundationNode, Pid, Self } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { subject } from "./fixtures/subject.mjs";
import { allReady, LocalNodes, nextEventOf } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";
import { Probe } from "./probe.ts";

const WORKER = fileURLToPath(new URL("./fixtures/otp-worker.mjs", import.meta.url));

/** A worker of the node `here` that offers subjects. */
async function startWorker(factory = "subject in a worker"): Promise<Worker> {
  const worker = new Worker(WORKER, { workerData: { node: "here", factory } });
  await once(worker, "message");
  return worker;
}

let nodes: LocalNodes;
let here: FoundationNode;
let probe: Probe;
beforeEach(async () => {
  nodes = new LocalNodes();
  here = await nodes.start({ name: "here" });
  here.beam.processes.on("crashed", () => {});
  probe = new Probe(here, { trapExit: true });
});
afterEach(async () => nodes.leaveAll());

async function startThere(name = "there"): Promise<FoundationNode> {
  const there = await nodes.start({ name, seeds: [here.address] });
  there.beam.processes.on("crashed", () => {});
  there.beam.processes.offer("subject", subject as never);
  await allReady([here, there], 2);
  return there;
}

describe("a node that leaves", () => {
  test("takes its processes with it for those who are tied to them", async () => {
    const there = await startThere();
    const { processes } = here.beam;
    const pid = await processes.spawnOn("there", "subject");
    const linked = await processes.spawnOn("there", "subject");
    probe.watch(pid);
    probe.link(linked);
    await processes.call(linked, { order: "echo" });
    const silence = processes.call(pid, { order: "silence" });
    silence.catch(() => {});
    const down = nextEventOf(here, "down", "there");
    await there.leave({ drainMs: 0 });
    await expect(silence).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:noconnection|process_exited)$/),
    });
    expect((await probe.down()).pid.equals(pid)).toBe(true);
    expect((await probe.exit()).from.equals(linked)).toBe(true);
    await down;
    expect(probe.got).toHaveLength(2);
    // Who is gone loses what is sent to it, and calls say so.
    const { toNobody } = processes.counts();
    expect(processes.send(pid, "anybody?")).toBe(true);
    expect(processes.counts().toNobody).toBe(toNobody + 1);
    await expect(processes.call(pid, 1)).rejects.toMatchObject({ code: "noconnection" });
    await expect(processes.spawnOn("there", "subject")).rejects.toMatchObject({
      code: "noconnection",
    });
  });

  test("and comes back under its name has none of its old processes", async () => {
    const there = await startThere();
    const { processes } = here.beam;
    const pid = await processes.spawnOn("there", "subject");
    const isDown = nextEventOf(here, "down", "there");
    await there.leave();
    await isDown;
    await startThere();
    const heir = await processes.spawnOn("there", "subject");
    expect(heir.home).toMatchObject({ node: "there", slot: pid.home.slot });
    expect(heir.serial).toBe(pid.serial);
    expect(heir.equals(pid)).toBe(false);
    await expect(processes.call(pid, { order: "echo" })).rejects.toMatchObject({ code: "noproc" });
    processes.exit(pid, "kill");
    probe.watch(pid);
    expect(await probe.down()).toMatchObject({ reason: "noproc" });
    expect(await processes.call(heir, { order: "echo", argument: 1 })).toBe(1);
  });
});

describe("a start at another node", () => {
  test.each([
    ["took too long", { timeoutMs: 1 }, "timeout"],
    ["was aborted", { signal: AbortSignal.abort() }, "aborted"],
  ])("that %s leaves no process behind", async (_why, options, code) => {
    const there = await startThere();
    let make = (_body: unknown): void => {};
    const ended: unknown[] = [];
    const asked = new Promise<void>((resolve) => {
      there.beam.processes.offer("slow", async () => {
        resolve();
        return new Promise((made) => {
          make = made as typeof make;
        });
      });
    });
    const given = here.beam.processes.spawnOn("there", "slow", [], options);
    await expect(given).rejects.toMatchObject({ code });
    await asked;
    make({
      init: (self: Self) =>
        there.beam.processes.monitor(self.pid, ({ reason }) => ended.push(reason)),
      handle: () => {},
    });
    await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["killed"]);
  });
});

describe("a killed process of the system", () => {
  test("is `noconnection`, and a supervisor places its child elsewhere", async () => {
    const cluster = new NodeProcesses();
    try {
      const others = await Promise.all(
        ["first", "second"].map(async (name) => cluster.start(name, { seeds: [here.address] })),
      );
      await allReady([here], 3);
      for (const other of others) await other.offerSubject();
      const { processes, supervisors } = here.beam;
      const started: Pid[] = [];
      const place = async (): Promise<Pid> => {
        const up = here.members().filter(({ name }) => name !== "here");
        const pid = await processes.spawnOn(up[0]!.name, "subject");
        started.push(pid);
        return pid;
      };
      const pid = await supervisors.start({ children: [{ id: "placed", startWith: place }] });
      probe.watch(started[0]!);
      expect(await processes.call(started[0]!, { order: "echo", argument: 1 })).toBe(1);
      const home = others.find(({ name }) => name === started[0]!.node)!;
      await home.kill();
      expect(await probe.down()).toMatchObject({ reason: "noconnection" });
      await expect.poll(() => started.length, { timeout: 10_000 }).toBe(2);
      expect(started[1]!.node).not.toBe(started[0]!.node);
      expect(await processes.call(started[1]!, { order: "echo", argument: 2 })).toBe(2);
      await supervisors.stop(pid);
    } finally {
      await cluster.killAll();
    }
  });
});

describe("a worker that is terminated", () => {
  test("takes its processes with it, for its own node and for others", async () => {
    const there = await startThere();
    const worker = await startWorker();
    const { processes } = here.beam;
    const pid = await processes.spawnOn("here", "subject in a worker");
    const far = new Probe(there, { trapExit: true });
    probe.watch(pid);
    there.beam.processes.monitor(pid, (down) => there.beam.processes.send(far.pid, down));
    far.link(pid);
    const silence = processes.call(pid, { order: "silence" });
    silence.catch(() => {});
    await there.beam.processes.processInfo(pid);
    await worker.terminate();
    expect(await probe.down()).toMatchObject({ reason: "noproc" });
    expect(await far.down()).toMatchObject({ reason: "noproc" });
    expect(await far.exit()).toMatchObject({ reason: "noproc" });
    await expect(silence).rejects.toMatchObject({ code: "noproc" });
  });
});

test("a worker that is terminated ends no call to another one", async () => {
  const first = await startWorker("first");
  const second = await startWorker("second");
  const { processes } = here.beam;
  const gone = await processes.spawnOn("here", "first");
  const pid = await processes.spawnOn("here", "second");
  const answer = processes.call(pid, { order: "later", argument: { ms: 300, value: "there" } });
  const lost = processes.call(gone, { order: "silence" });
  lost.catch(() => {});
  await first.terminate();
  await expect(lost).rejects.toMatchObject({ code: "noproc" });
  expect(await answer).toBe("there");
  await second.terminate();
});

test("who offers nothing, and what cannot be made, is told apart", async () => {
  await startThere();
  const { processes } = here.beam;
  await expect(processes.spawnOn("there", "nothing")).rejects.toMatchObject({
    code: "unknown_factory",
  });
  here.beam.processes.offer("broken", () => {
    throw new Error("not today");
  });
  await expect(processes.spawnOn("here", "broken")).rejects.toMatchObject({
    code: "init_failed",
    message: "not today",
  });
});

test("another node starts nothing but what is offered, whatever it says", async () => {
  const there = await startThere();
  const before = here.beam.processes.list().length;
  const blueprint = {
    kind: "heavy",
    module: "data:text/javascript,export default () => {}",
    export: "default",
    startTimeoutMs: 5_000,
  };
  const root = { node: "here", name: "beam@root" };
  const heavy = 15; // ts/beam/wire.ts
  const refusal = (await there.call(root, [heavy, blueprint, [[], undefined], {}])) as unknown[];
  expect(refusal.slice(0, 2)).toEqual([false, "unknown_factory"]);
  expect(here.isolates()).toHaveLength(1);
  here.beam.processes.offer("subject", subject as never);
  for (const order of [null, 1, [], {}, { args: 1 }, { args: [], link: "<pid>" }]) {
    const answer = await there.call({ node: "here", name: "beam!subject" }, order);
    expect((answer as unknown[])[0], JSON.stringify(order)).toBe(false);
  }
  // Nor do messages that are none of the runtime's harm it.
  for (const op of [
    null,
    1,
    {},
    [],
    ["x"],
    [1],
    [4, 1, 1, "x"],
    [7, 1, 1, 1],
    [9, 1, 1],
    [11],
    [99],
  ]) {
    await there.call({ node: "here", name: `beam#${probe.pid.home.slot}` }, op).catch(() => {});
  }
  expect(probe.isAlive).toBe(true);
  expect(here.beam.processes.list()).toHaveLength(before);
});

describe("a name", () => {
  test("is found, sent to and called from anywhere, until its process ends", async () => {
    const there = await startThere();
    const { processes } = here.beam;
    const at = { node: "there", name: "counter" };
    expect(await processes.lookup(at)).toBeUndefined();
    let sum = 0;
    const pid = there.beam.processes.spawn((add: number) => (sum += add), { name: "counter" });
    expect((await processes.lookup(at))?.equals(pid)).toBe(true);
    expect(processes.send(at, 40)).toBe(true);
    expect(await processes.call(at, 2)).toBe(42);
    await there.beam.processes.stop(pid);
    expect(await processes.lookup(at)).toBeUndefined();
    await expect(processes.call(at, 1)).rejects.toMatchObject({ code: "noproc" });
  });

  test("is one process's in its whole node", async () => {
    const worker = await startWorker();
    const { processes } = here.beam;
    const pid = await processes.spawnOn("here", "subject in a worker", [], { name: "only" });
    expect(() => processes.spawn(() => {}, { name: "only" })).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    expect(await processes.call("only", { order: "echo", argument: 1 })).toBe(1);
    await processes.stop(pid);
    await expect.poll(async () => processes.lookup("only")).toBeUndefined();
    await worker.terminate();
  });
});

describe("a full mailbox of another node", () => {
  test("holds its sender back, and loses nothing", async () => {
    const there = await startThere();
    const got: number[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const pid = there.beam.processes.spawn(
      async (message: number) => {
        await gate;
        got.push(message);
      },
      { mailbox: { messagesMax: 10, policy: "block" } },
    );
    const { processes } = here.beam;
    let sent = 0;
    while (sent < 5_000_000 && processes.send(pid, sent)) {
      sent++;
      if (sent % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeLessThan(5_000_000);
    // Signals are never refused, and come behind what was sent before.
    probe.watch(pid);
    open();
    await processes.drained(pid);
    while (!processes.send(pid, sent)) await processes.drained(pid);
    await expect.poll(() => got.length, { timeout: 30_000 }).toBe(sent + 1);
    expect(got.every((message, index) => message === index)).toBe(true);
    await processes.stop(pid);
    expect(await probe.down()).toMatchObject({ reason: "normal" });
  });

  test.each(["dropNewest", "dropOldest"] as const)(
    "of policy %s loses and counts",
    async (policy) => {
      const there = await startThere();
      const got: number[] = [];
      let open = (): void => {};
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      const pid = there.beam.processes.spawn(
        async (message: number) => {
          await gate;
          got.push(message);
        },
        { mailbox: { messagesMax: 10, policy } },
      );
      const { processes } = here.beam;
      for (let number = 0; number < 100; number++) expect(processes.send(pid, number)).toBe(true);
      await expect
        .poll(async () => (await processes.processInfo(pid))?.mailbox.dropped)
        .toBeGreaterThanOrEqual(89);
      open();
      await processes.call(pid, 100).catch(() => {});
      const kept = policy === "dropNewest" ? 9 : 99;
      expect(got).toContain(kept);
      expect(got).toEqual(got.toSorted((a, b) => a - b));
      expect(got.length).toBeLessThanOrEqual(12);
    },
  );
});
