import type { FoundationNode, Pid, StallReport } from "foundation-runtime";
import { heavy } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";
import { Probe } from "./probe.ts";

const module = new URL("./fixtures/limited-servers.mjs", import.meta.url);
const limited = { module, export: "Limited" };

let nodes: LocalNodes;
let node: FoundationNode;
let probe: Probe;
beforeEach(async () => {
  nodes = new LocalNodes();
  node = await nodes.start({ name: "host" });
  probe = new Probe(node, { trapExit: true });
});
afterEach(async () => nodes.leaveAll());

/** Keeps this thread busy until something holds that other threads bring about. */
function stayBusyUntil(holds: () => boolean): void {
  for (const lateMs = performance.now() + 30_000; !holds(); ) {
    if (performance.now() > lateMs) throw new Error("it did not come about");
  }
}

const isolateAt = ({ home: { slot } }: Pid): boolean =>
  node.isolates().some((isolate) => isolate.slot === slot);

describe("stallMs", () => {
  test("ends a process that does not come back, which says what it ran", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, stallMs: 100 }));
    probe.watch(pid);
    probe.link(pid);
    processes.cast(pid, "loop");
    const reason = {
      kind: "stalled",
      stallMs: 100,
      stack: expect.stringMatching(/^ {4}at spinForever \(.*limited-servers\.mjs:\d+:\d+\)\n/),
    };
    expect(await probe.down()).toMatchObject({ reason });
    expect(await probe.exit()).toMatchObject({ reason });
  });

  test("lets one live that comes back in time, however often", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, stallMs: 2_000 }));
    for (let turn = 0; turn < 10; turn++) await processes.call(pid, { spinMs: 20 });
    expect(isolateAt(pid)).toBe(true);
    expect(await processes.call(pid, {})).toBe(0);
  });

  test("holds for a start, too", async () => {
    const stuck = heavy({ module, export: "Stuck", stallMs: 100 });
    await expect(node.beam.processes.start(stuck)).rejects.toMatchObject({
      code: "init_failed",
      context: { reason: { kind: "stalled" } },
    });
  });

  test("has its supervisor start another one", async () => {
    const { processes, supervisors } = node.beam;
    const start = heavy({ ...limited, stallMs: 100 });
    const pid = await supervisors.start({ children: [{ id: "limited", start }] });
    const [before] = await supervisors.whichChildren(pid);
    processes.cast(before!.pid!, "loop");
    await expect
      .poll(async () => (await supervisors.whichChildren(pid))[0]?.restarts, { timeout: 20_000 })
      .toBe(1);
    const [after] = await supervisors.whichChildren(pid);
    expect(await processes.call(after!.pid!, {})).toBe(0);
    await supervisors.stop(pid);
  });

  test("is kept while the main thread does nothing at all", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, stallMs: 100 }));
    probe.watch(pid);
    processes.cast(pid, "loop");
    await expect.poll(() => node.isolates().some(({ runningMs }) => runningMs > 10)).toBe(true);
    stayBusyUntil(() => !isolateAt(pid));
    expect(await probe.down()).toMatchObject({ reason: { kind: "stalled" } });
  });

  test("is the reason that other isolates hear, however long the main one is stalled", async () => {
    const { processes } = node.beam;
    const watcher = await processes.start(heavy({ module, export: "Watcher" }));
    const pid = await processes.start(heavy({ ...limited, stallMs: 100 }));
    await processes.call(watcher, pid);
    processes.cast(pid, "loop");
    await expect.poll(() => node.isolates().some(({ runningMs }) => runningMs > 10)).toBe(true);
    // A call that was given up after the usual 5 s told the watcher of no reason.
    const endMs = performance.now() + 6_000;
    stayBusyUntil(() => !isolateAt(pid) && performance.now() > endMs);
    await expect
      .poll(async () => processes.call(watcher, "what did you hear?"), { timeout: 20_000 })
      .toMatchObject({ kind: "stalled", stallMs: 100 });
  });
});

describe("offHeapMiB", () => {
  test("ends a process that takes buffers as fast as it can", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, offHeapMiB: 64 }));
    probe.watch(pid);
    processes.cast(pid, "hoard");
    const down = await probe.down();
    expect(down).toMatchObject({ reason: { kind: "offHeap", limitBytes: 64 * 2 ** 20 } });
    const { externalBytes } = down.reason as { externalBytes: number };
    expect(externalBytes).toBeGreaterThan(64 * 2 ** 20);
  });

  test("finds what a loop keeps that waits again", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, offHeapMiB: 32 }));
    probe.watch(pid);
    processes.cast(pid, 48);
    const down = await probe.down();
    expect(down).toMatchObject({ reason: { kind: "offHeap" } });
  });

  test("lets one live that stays below", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ ...limited, offHeapMiB: 256 }));
    for (let count = 1; count <= 8; count++) {
      expect(await processes.call(pid, { keepMiB: 1, spinMs: 20 })).toBe(count);
    }
    expect(isolateAt(pid)).toBe(true);
  });
});

describe("watch", () => {
  test("tells of a stalled main thread, its stack taken meanwhile", async () => {
    const reports: StallReport[] = [];
    const stop = node.beam.watch({ stallMs: 100 }, (report) => reports.push(report));
    // A stall of which the thread may know as soon as it runs, which the first one waits for.
    await expect
      .poll(
        () => {
          const endMs = performance.now() + 400;
          stayBusyUntil(() => performance.now() > endMs);
          return reports.length;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
    stop();
    expect(reports[0]).toMatchObject({ ...node.place, threadId: 0 });
    expect(reports[0]!.runningMs).toBeGreaterThanOrEqual(100);
    expect(reports[0]!.stack).toContain("stayBusyUntil");
  });

  test("tells of a heavy process, which goes on", async () => {
    const { processes } = node.beam;
    const reports: StallReport[] = [];
    node.beam.watch({ stallMs: 100 }, (report) => reports.push(report));
    const pid = await processes.start(heavy(limited));
    await expect
      .poll(
        async () => {
          await processes.call(pid, { spinMs: 400 });
          return reports.find(({ slot }) => slot === pid.home.slot);
        },
        { timeout: 20_000 },
      )
      .toMatchObject({
        generation: pid.home.generation,
        stack: expect.stringContaining("handleCall"),
      });
    expect(isolateAt(pid)).toBe(true);
  });

  test("ends with its node", async () => {
    node.beam.watch({ stallMs: 100 }, () => {});
    await node.leave();
    expect(() => node.beam.watch({ stallMs: 100 }, () => {})).toThrow(
      expect.objectContaining({ code: "node_left" }),
    );
  });
});

test.each([
  [{ stallMs: 10 }, /stallMs/],
  [{ stallMs: Number.NaN }, /stallMs/],
  [{ offHeapMiB: 0 }, /offHeapMiB/],
])("heavy(%j) is refused at once", (options, message) => {
  expect(() => heavy({ ...limited, ...options })).toThrow(
    expect.objectContaining({ code: "invalid_options", message: expect.stringMatching(message) }),
  );
});
