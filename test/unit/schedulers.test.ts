import { describe, expect, test } from "vitest";
import { cpuIntensive } from "../../dist/ts/beam/schedulers/cpu-intensive.js";
import { Job } from "../../dist/ts/beam/schedulers/job.js";
import { JobMemory } from "../../dist/ts/beam/schedulers/job-memory.js";
import { Ranges } from "../../dist/ts/beam/schedulers/ranges.js";

/** A generator whose numbers follow from its seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("ranges", () => {
  test("every item is taken once, whoever takes and steals", () => {
    const seed = Date.now() >>> 0;
    const next = random(seed);
    for (let round = 0; round < 200; round++) {
      const size = 1 + Math.floor(next() * 5);
      const items = Math.floor(next() * 200);
      const ranges = new Ranges(size);
      ranges.deal(items);
      const taken: number[] = [];
      for (let idle = 0; idle < size; ) {
        const scheduler = Math.floor(next() * size);
        const item = ranges.take(scheduler);
        if (item !== undefined) taken.push(item);
        else if (!ranges.steal(scheduler)) idle++;
      }
      for (let own = 0; own < size; own++) {
        for (let item = ranges.take(own); item !== undefined; item = ranges.take(own)) {
          taken.push(item);
        }
      }
      const expected = Array.from({ length: items }, (_, index) => index);
      expect(
        taken.toSorted((left, right) => left - right),
        `seed ${seed}`,
      ).toEqual(expected);
    }
  });

  test("the back half of the longest range is taken, its last item too", () => {
    const ranges = new Ranges(3);
    ranges.assign(0, { begin: 10, end: 12 });
    ranges.assign(1, { begin: 20, end: 25 });
    expect(ranges.steal(2)).toBe(true);
    expect([ranges.of(1), ranges.of(2)]).toEqual([
      { begin: 20, end: 22 },
      { begin: 22, end: 25 },
    ]);
    const rest = new Ranges(2);
    rest.assign(0, { begin: 7, end: 8 });
    expect(rest.steal(1)).toBe(true);
    expect([rest.take(0), rest.take(1), rest.steal(0)]).toEqual([undefined, 7, false]);
  });
});

describe("a job", () => {
  test("what nobody told of is dealt out anew once all are idle", () => {
    let isOver = false;
    const memory = JobMemory.of(["a", "b", "c", "d"], 2);
    const job = new Job(4, memory, () => (isOver = true));
    job.take([
      [0, true, "A"],
      [2, true, "C"],
    ]);
    expect([job.isIdle(0), job.isIdle(1)]).toEqual([false, true]);
    expect([memory.ranges.of(0), memory.ranges.of(1)]).toEqual([
      { begin: 1, end: 2 },
      { begin: 3, end: 4 },
    ]);
    job.take([
      [3, true, "D"],
      [1, true, "B"],
      [1, true, "twice"],
    ]);
    expect(isOver).toBe(true);
    const values = job.settled.map((result) => Reflect.get(result, "value") as unknown);
    expect(values).toEqual(["A", "B", "C", "D"]);
    expect(memory.item(2)).toBe("c");
  });
});

describe("cpuIntensive", () => {
  test("lets the event loop turn whenever its budget is used up", async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const progress: number[] = [];
    const items = Array.from({ length: 60 }, (_, index) => index);
    const busy = (item: number): number => {
      const endMs = performance.now() + 1;
      while (performance.now() < endMs);
      return item * 2;
    };
    const results = await cpuIntensive(items, busy, {
      budgetMs: 5,
      onProgress: (done) => progress.push(done),
    });
    isOver = true;
    expect(results).toEqual(items.map((item) => item * 2));
    // 60 ms of work in pieces of at least 4 ms and at most a budget and an item.
    expect(progress.length).toBeGreaterThanOrEqual(8);
    expect(turns).toBeGreaterThanOrEqual(progress.length);
  });

  test("is aborted between two pieces; what it throws goes through", async () => {
    const abort = new AbortController();
    const forever = (function* items() {
      for (;;) yield 1;
    })();
    setImmediate(() => abort.abort());
    const work = cpuIntensive(forever, (item) => item, { budgetMs: 1, signal: abort.signal });
    await expect(work).rejects.toMatchObject({ code: "aborted" });
    const thrown = cpuIntensive([1], () => {
      throw new RangeError("no");
    });
    await expect(thrown).rejects.toThrow(RangeError);
    const late = cpuIntensive([1], async () => 1);
    await expect(late).rejects.toMatchObject({ code: "invalid_options" });
  });

  test.each<[string, unknown, unknown, object]>([
    ["no time", [1], String, { budgetMs: 0 }],
    ["no list", 7, String, {}],
    ["nothing to do", [1], undefined, {}],
    ["an option misspelt", [1], String, { budget: 1 }],
  ])("refuses %s", async (_what, items, fn, options) => {
    const work = cpuIntensive(items as never, fn as never, options);
    await expect(work).rejects.toMatchObject({ code: "invalid_options" });
  });
});
