import { afterEach, describe, expect, test, vi } from "vitest";
import { Schedulers } from "../../dist/ts/beam/schedulers/schedulers.js";

const module = new URL("./fixtures/work.mjs", import.meta.url);
const made: Schedulers[] = [];

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
    // All that costs anything was dealt to the first one.
    const items = Array.from({ length: 200 }, (_, index) => (index < 100 ? 2_000_000 : 1));
    const threads = await schedulers.balanceWork(items, { module, export: "threadAfter" });
    const dear = new Set(threads.slice(0, 100));
    expect(dear.size).toBe(2);
    const looks = schedulers.utilization();
    expect(looks.reduce((sum, { steals }) => sum + steals, 0)).toBeGreaterThan(0);
    expect(looks.reduce((sum, { items: done }) => sum + done, 0)).toBe(200);
    expect(Math.max(...looks.map(({ utilization }) => utilization))).toBeGreaterThan(0);
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
    await vi.waitFor(() => {
      const restarts = schedulers.utilization().reduce((sum, look) => sum + look.restarts, 0);
      expect(restarts).toBe(2);
    });
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
    ]) {
      await expect(schedulers.balanceWork([1], options)).rejects.toMatchObject(refused);
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
