import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { SchedulerPool } from "../../dist/ts/beam/schedulers/pool.js";
import { Schedulers } from "../../dist/ts/beam/schedulers/schedulers.js";

const module = new URL("./fixtures/work.mjs", import.meta.url);
const made: Schedulers[] = [];
const folder = mkdtempSync(join(tmpdir(), "foundation-schedulers-"));

function schedulersOf(count: number): Schedulers {
  const schedulers = new Schedulers();
  schedulers.configure({ schedulers: count });
  made.push(schedulers);
  return schedulers;
}

function sumTo(last: number): number {
  return (last * (last + 1)) / 2;
}

afterEach(async () => {
  await Promise.all(made.splice(0).map(async (schedulers) => schedulers.close()));
});

afterAll(() => rmSync(folder, { recursive: true }));

function restartsOf(schedulers: Schedulers): number {
  return schedulers.utilization().reduce((sum, { restarts }) => sum + restarts, 0);
}

describe("balanceWork", () => {
  test("answers in the items' order, of functions that await too", async () => {
    const schedulers = schedulersOf(3);
    const items = Array.from({ length: 1_000 }, (_, index) => index);
    const expected = items.map(sumTo);
    expect(await schedulers.balanceWork(items, { module, export: "sumTo" })).toEqual(expected);
    expect(await schedulers.balanceWork(items, { module, export: "sumLater" })).toEqual(expected);
    expect(await schedulers.balanceWork([], { module, export: "sumTo" })).toEqual([]);
    expect(await schedulers.balanceWork([7], { module, export: "sumTo" })).toEqual([28]);
  });

  test("a scheduler without work takes that of others", async () => {
    const schedulers = schedulersOf(2);
    const file = join(folder, "stolen");
    // Both of the first two are dealt to one scheduler, which waits at the first for the second.
    const items = ["wait", "write", "none", "none"].map((what) => [what, file]);
    await schedulers.balanceWork(items, { module, export: "withFile" });
    const looks = schedulers.utilization();
    expect(looks.reduce((sum, { steals }) => sum + steals, 0)).toBeGreaterThan(0);
    expect(looks.reduce((sum, { items: done }) => sum + done, 0)).toBe(4);
    expect(Math.max(...looks.map(({ utilization }) => utilization))).toBeGreaterThan(0);
  });

  test("a scheduler that has not started yet has done nothing", async () => {
    const pool = new SchedulerPool([undefined]);
    expect(pool.look()).toMatchObject([{ threadId: undefined, utilization: 0, items: 0 }]);
    await pool.close();
  });

  test("an item that fails, loops or ends its isolate fails alone", async () => {
    const schedulers = schedulersOf(2);
    const items = [3, -3, 4, -2, 5, -1, 6];
    const options = { module, export: "sumUnless", itemTimeoutMs: 300 };
    const settled = await schedulers.balanceWorkSettled(items, options);
    const said = settled.map((result) => {
      return result.status === "fulfilled"
        ? result.value
        : (result.reason as { code: string }).code;
    });
    expect(said).toEqual([6, "task_failed", 10, "task_lost", 15, "timeout", 21]);
    await vi.waitFor(() => expect(restartsOf(schedulers)).toBe(2));
    // The pool is whole again.
    const more = Array.from({ length: 100 }, (_, index) => index);
    const sums = await schedulers.balanceWork(more, { module, export: "sumTo" });
    expect(sums).toEqual(more.map(sumTo));
  });

  test("the first failure ends it", async () => {
    const schedulers = schedulersOf(2);
    const work = schedulers.balanceWork([1, -3, 2], { module, export: "sumUnless" });
    await expect(work).rejects.toMatchObject({ code: "task_failed", context: { index: 1 } });
    const odd = schedulers.balanceWork([1, 2], { module, export: "unclonable" });
    await expect(odd).rejects.toMatchObject({ code: "task_failed" });
  });

  test("whose work failed ends an item that loops elsewhere, once its grace is over", async () => {
    const schedulers = schedulersOf(2);
    const file = join(folder, "loops");
    const items = ["loop", "fail"].map((what) => [what, file]);
    const work = schedulers.balanceWork(items, { module, export: "withFile", graceMs: 50 });
    await expect(work).rejects.toMatchObject({ code: "task_failed" });
    await vi.waitFor(() => expect(restartsOf(schedulers)).toBe(1), 10_000);
    // Both work again.
    await vi.waitFor(async () => {
      const threads = await schedulers.balanceWork([1, 1], { module, export: "threadLater" });
      expect(new Set(threads).size).toBe(2);
    }, 10_000);
  });

  test("lets an item end in its grace, and the next work alone behind it", async () => {
    const schedulers = schedulersOf(2);
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    writeFileSync(first, "");
    const items = [
      ["wait", second],
      ["fail", first],
    ];
    const work = schedulers.balanceWork(items, { module, export: "withFile", graceMs: 100 });
    await expect(work).rejects.toMatchObject({ code: "task_failed" });
    writeFileSync(second, "");
    const pauses = Array.from({ length: 20 }, () => 1);
    await schedulers.balanceWork(pauses, { module, export: "pause" });
    expect(restartsOf(schedulers)).toBe(0);
  });

  test("ends an item that takes more of the heap than its limit, alone", async () => {
    const schedulers = new Schedulers();
    schedulers.configure({ schedulers: 1, heapMiB: 32 });
    made.push(schedulers);
    const work = schedulers.balanceWork([1], { module, export: "hog" });
    await expect(work).rejects.toMatchObject({
      code: "task_lost",
      message: expect.stringContaining("memory limit"),
    });
    expect(await schedulers.balanceWork([4], { module, export: "sumTo" })).toEqual([10]);
  });

  test("is aborted, and late, also in an endless loop", async () => {
    const schedulers = schedulersOf(1);
    const abort = new AbortController();
    const options = { module, export: "sumUnless" };
    const work = schedulers.balanceWork([-1, 1], { ...options, signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(work).rejects.toMatchObject({ code: "aborted" });
    const late = schedulers.balanceWork([-1, 1], { ...options, timeoutMs: 200 });
    await expect(late).rejects.toMatchObject({ code: "timeout" });
    expect(await schedulers.balanceWork([4], options)).toEqual([10]);
  });

  test("refuses what it cannot run", async () => {
    const schedulers = schedulersOf(1);
    const refused = { code: "invalid_options" };
    for (const options of [
      { module: "./work.mjs" },
      { module, export: "nothing" },
      { module: new URL("./fixtures/absent.mjs", import.meta.url) },
      { module, itemTimeoutMs: 0 },
      { module, timeoutMs: 2 ** 31 },
      { module, graceMs: -1 },
      { module, graceMs: Number.NaN },
      { module, signal: 3 as never },
      undefined as never,
    ]) {
      await expect(schedulers.balanceWork([1], options)).rejects.toMatchObject(refused);
    }
    const misspelt = schedulers.balanceWork([1], { module, timeout: 1 } as never);
    await expect(misspelt).rejects.toThrow(/did you mean 'timeoutMs'/);
    const uncounted = schedulers.balanceWork(new Set([1]) as never, { module });
    await expect(uncounted).rejects.toMatchObject(refused);
    for (const options of [{ schedulers: 0 }, { heapMiB: 1 }, { pin: "no" }, { scheduler: 1 }]) {
      expect(() => new Schedulers().configure(options as never)).toThrow(
        expect.objectContaining(refused),
      );
    }
    // Nobody waits for its time to be over any more: a late rejection would be unhandled.
    const odd = schedulers.balanceWork([() => {}], { module, export: "sumTo", timeoutMs: 10 });
    await expect(odd).rejects.toMatchObject({ code: "unencodable" });
    await schedulers.balanceWork(["20 ms"], { module, export: "pause" });
    expect(() => schedulers.configure({ schedulers: 2 })).toThrow(/started already/);
    await schedulers.close();
    const closed = schedulers.balanceWork([1], { module, export: "sumTo" });
    await expect(closed).rejects.toMatchObject({ code: "node_left" });
  });

  test("keeps schedulers to cores, and says to which", async () => {
    const schedulers = schedulersOf(2);
    await schedulers.balanceWork([1, 2, 3, 4], { module, export: "sumTo" });
    // One may have done all of it before the other was up.
    const looks = await vi.waitFor(() => {
      const found = schedulers.utilization();
      expect(found.every(({ threadId }) => threadId !== undefined)).toBe(true);
      return found;
    });
    const isPinning = process.platform === "linux";
    expect(looks.map(({ core }) => core !== undefined)).toEqual([isPinning, isPinning]);
  });
});

describe("the delay of an event loop", () => {
  test("shows a handler that held it up", async () => {
    const monitor = new Schedulers().monitorLoop(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const endMs = performance.now() + 60;
    while (performance.now() < endMs);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { maxMs, samples } = monitor.read();
    monitor.stop();
    expect(samples).toBeGreaterThan(0);
    expect(maxMs).toBeGreaterThan(30);
    monitor.reset();
    expect(monitor.read().samples).toBe(0);
    expect(() => new Schedulers().monitorLoop(0)).toThrow(/resolutionMs/);
  });
});
