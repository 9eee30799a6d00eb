import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Foundation, type FoundationNode, type Pid } from "../../dist/ts/index.js";
import { printedRandom } from "./seeded-random.ts";

const RECORDER = fileURLToPath(new URL("fixtures/event-recorder.mjs", import.meta.url));
const WORKER = fileURLToPath(new URL("fixtures/event-worker.mjs", import.meta.url));
const KILLS = 4;

let path: string;
const nodes: FoundationNode[] = [];

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "event-history-"));
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.leave();
  await rm(path, { recursive: true });
});

async function start(...options: Parameters<typeof Foundation.start>): Promise<FoundationNode> {
  const node = await Foundation.start(...options);
  nodes.push(node);
  return node;
}

const numbersOf = async (node: FoundationNode): Promise<unknown[]> => {
  const found = await node.events.history({ eventType: "counted", limit: 100_000 });
  return found.map(({ data }) => data);
};

describe("a node with a warm store", () => {
  test("finds what it stored in an earlier run, and gives out later ids", async () => {
    const warm = { enable: true, path };
    const config = { env: false as const, values: { storage: { warm } } };
    const first = await start({ config });
    const ids = await first.events.recordBatch(
      [1, 2, 3].map((data) => {
        const options = { correlationId: "once", timestamp: 1_000 + data };
        return first.events.newEvent("counted", data, options);
      }),
    );
    first.events.store(first.events.newEvent("counted", 4)); // `leave` waits for it
    await first.leave();
    const second = await start({ config });
    expect(second.events.query()).toEqual([]);
    expect(await numbersOf(second)).toEqual([1, 2, 3, 4]);
    const [once] = await second.events.history({ correlationId: "once", limit: 1 });
    expect(once).toEqual(await second.events.fetch(ids[0]!));
    expect(second.events.newEvent("counted", 5).eventId).toBeGreaterThan(ids[2]!);
    expect(await second.events.pruneHistory(once!.timestamp + 1)).toBe(1);
    expect(await numbersOf(second)).toEqual([2, 3, 4]);
    expect(await second.events.historyFigures()).toMatchObject({ events: 3, pruned: 1 });
  });

  test("loses nothing when the service is killed, and tells other isolates", async () => {
    const node = await start({ events: { warm: { path, durability: "disk" } } });
    await node.events.record(node.events.newEvent("counted", 1));
    const children = await node.beam.supervisors.whichChildren(node.services.supervisor as Pid);
    node.beam.processes.exit(children.find(({ id }) => id === "events")!.pid as Pid, "kill");
    await node.events.record(node.events.newEvent("counted", 2));
    expect(await numbersOf(node)).toEqual([1, 2]);
    const worker = new Worker(WORKER);
    try {
      await once(worker, "message");
      const answers: unknown[] = [];
      for (const act of ["history", "historyFigures", "pruneHistory"]) {
        worker.postMessage({ act, args: [act === "history" ? { eventType: "counted" } : 1] });
        answers.push(((await once(worker, "message")) as [{ value: unknown }])[0].value);
      }
      expect(answers).toMatchObject([[{ data: 1 }, { data: 2 }], { events: 2, syncs: 4 }, 0]);
    } finally {
      await worker.terminate();
    }
  });

  test("does not start where another one has the folder, and leaves that one alone", async () => {
    const options = { events: { warm: { path } } };
    const first = await start({ name: "first", ...options });
    const second = start({ name: "second", ...options });
    await expect(second).rejects.toMatchObject({ code: "event_log_locked" });
    await first.events.record(first.events.newEvent("counted", 1));
    await first.leave();
    expect(await numbersOf(await start(options))).toEqual([1]);
  });

  test.each([
    [{ warm: { path: "" } }, "path"],
    [{ warm: { maxSizeMb: 1 } }, "maxSizeMb"],
    [{ warm: { maxPendingBytes: 1 << 20 } }, "unknown option 'maxPendingBytes' in events.warm"],
    [{ warm: {}, log: { append: async () => {} } }, "not both"],
  ])("refuses %o", async (events, text) => {
    await expect(start({ events: events as never })).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining(text),
    });
  });

  test("that is killed has in its next run every event it has acknowledged", async () => {
    const random = printedRandom("kills of nodes that record");
    let recorded = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const victim: ChildProcess = spawn(process.execPath, [RECORDER, path, String(recorded)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(victim, "exit");
      let left = 1 + random.below(300);
      for await (const line of createInterface(victim.stdout!)) {
        recorded = Number(line);
        if (--left === 0) victim.kill("SIGKILL");
      }
      await exited;
      expect(victim.signalCode).toBe("SIGKILL");
      const node = await start({ events: { warm: { path } } });
      const found = await numbersOf(node);
      expect(found.length).toBeGreaterThanOrEqual(recorded);
      expect(found).toEqual(Array.from(found, (_, index) => index + 1));
      recorded = found.length;
      await node.leave();
    }
  });
});
