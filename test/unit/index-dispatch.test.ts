import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dispatch } from "../../ts/cli/index/dispatch.ts";
import { KillPlan } from "../../ts/cli/index/kill-plan.ts";

const LIMITS = { windowBytes: 100, windowFiles: 4 };

function dispatchOf(fileBytes: readonly number[], ...workers: string[]): Dispatch {
  const dispatch = new Dispatch(fileBytes, LIMITS);
  for (const worker of workers) dispatch.addWorker(worker);
  return dispatch;
}

function takeAll(dispatch: Dispatch, worker: string): number[] {
  const taken: number[] = [];
  for (let id = dispatch.take(worker); id !== undefined; id = dispatch.take(worker)) taken.push(id);
  return taken;
}

describe("handing out", () => {
  test("the largest file goes first, and equal ones in the order of the list", () => {
    expect(takeAll(dispatchOf([10, 30, 10, 20], "w1"), "w1")).toEqual([1, 3, 0, 2]);
  });

  test("a worker gets nothing more once its window of bytes is used", () => {
    const dispatch = dispatchOf([80, 60, 50], "w1");
    expect(takeAll(dispatch, "w1")).toEqual([0, 1]);
    dispatch.complete(0, "w1");
    expect(takeAll(dispatch, "w1")).toEqual([2]);
  });

  test("a worker gets nothing more once its window of files is used", () => {
    expect(takeAll(dispatchOf([1, 1, 1, 1, 1], "w1"), "w1")).toHaveLength(4);
  });

  test("a file larger than the window still goes out", () => {
    expect(takeAll(dispatchOf([500], "w1"), "w1")).toEqual([0]);
  });

  test("a worker nobody admitted gets nothing", () => {
    expect(dispatchOf([1], "w1").take("w2")).toBeUndefined();
  });

  test("a skipped file leaves the total and frees its worker", () => {
    const dispatch = dispatchOf([100, 5], "w1");
    dispatch.take("w1");
    dispatch.skip(0);
    expect(dispatch.totalBytes).toBe(5);
    expect(takeAll(dispatch, "w1")).toEqual([1]);
  });
});

describe("results", () => {
  test("only the first result of a file counts", () => {
    const dispatch = dispatchOf([10], "w1");
    dispatch.take("w1");
    expect(dispatch.complete(0, "w1")).toBe("fresh");
    expect(dispatch.complete(0, "w1")).toBe("duplicate");
    expect(dispatch.doneBytes).toBe(10);
  });

  test.each([-1, 1, 0.5, Number.NaN])(
    "a result for file %s, which there is none of, is unknown",
    (id) => {
      expect(dispatchOf([10], "w1").complete(id, "w1")).toBe("unknown");
    },
  );

  test("a late result of a lost worker ends the file wherever it waits", () => {
    const dispatch = dispatchOf([10], "w1", "w2");
    dispatch.take("w1");
    dispatch.lose("w1", false);
    expect(dispatch.complete(0, "w1")).toBe("fresh");
    expect(dispatch.take("w2")).toBeUndefined();
    expect(dispatch.isSettled).toBe(true);
  });
});

describe("losing a worker", () => {
  test("its unfinished files go out again, in their order", () => {
    const dispatch = dispatchOf([30, 20, 10], "w1", "w2");
    takeAll(dispatch, "w1");
    dispatch.complete(1, "w1");
    expect(dispatch.lose("w1", false).redispatched).toEqual([0, 2]);
    expect(takeAll(dispatch, "w2")).toEqual([0, 2]);
  });

  test("a second loss of the same worker changes nothing", () => {
    const dispatch = dispatchOf([30], "w1", "w2");
    takeAll(dispatch, "w1");
    dispatch.lose("w1", false);
    expect(dispatch.lose("w1", false).redispatched).toEqual([]);
  });

  test("after a crash each file is tried alone on an empty worker", () => {
    const dispatch = dispatchOf([30, 20, 10], "w1", "w2");
    takeAll(dispatch, "w1");
    dispatch.lose("w1", true);
    expect(takeAll(dispatch, "w2")).toEqual([0]);
    dispatch.complete(0, "w2");
    expect(takeAll(dispatch, "w2")).toEqual([1]);
  });

  test("a second crash with one file alone sets that file aside", () => {
    const dispatch = dispatchOf([30, 20], "w1", "w2", "w3");
    takeAll(dispatch, "w1");
    dispatch.lose("w1", true);
    dispatch.take("w2");
    expect(dispatch.lose("w2", true)).toEqual({ redispatched: [], quarantined: 0 });
    expect(takeAll(dispatch, "w3")).toEqual([1]);
    dispatch.complete(1, "w3");
    expect(dispatch.isSettled).toBe(true);
  });

  test("leaves the others above suspicion where the crash names its file", () => {
    const dispatch = new Dispatch([3, 2, 1]);
    dispatch.addWorker("w1");
    for (const fileId of [0, 1, 2]) expect(dispatch.take("w1")).toBe(fileId);
    expect(dispatch.lose("w1", true, 1)).toEqual({
      redispatched: [0, 1, 2],
      quarantined: undefined,
    });
    dispatch.addWorker("w1");
    expect(dispatch.take("w1")).toBe(1);
    expect(dispatch.take("w1")).toBeUndefined();
    expect(dispatch.lose("w1", true, 1)).toEqual({ redispatched: [], quarantined: 1 });
    dispatch.addWorker("w1");
    expect([dispatch.take("w1"), dispatch.take("w1")]).toEqual([0, 2]);
  });

  test("a worker that is closed gets no more, and its files still go to others", () => {
    const dispatch = dispatchOf([30, 20, 10], "w1", "w2");
    dispatch.take("w1");
    dispatch.close("w1");
    expect(dispatch.take("w1")).toBeUndefined();
    expect(dispatch.lose("w1", false).redispatched).toEqual([0]);
    expect(takeAll(dispatch, "w2")).toEqual([0, 1, 2]);
  });

  test("an ordered kill puts no file under suspicion", () => {
    const dispatch = dispatchOf([30, 20], "w1", "w2");
    takeAll(dispatch, "w1");
    dispatch.lose("w1", false);
    expect(takeAll(dispatch, "w2")).toEqual([0, 1]);
  });
});

test("in whatever order things happen, each file ends exactly once", () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 0, max: 9 })), { maxLength: 200 });
  const sizes = fc.array(fc.nat(80), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(sizes, steps, (fileBytes, actions) => {
      const names = ["w1", "w2", "w3", "w4"];
      const dispatch = dispatchOf(fileBytes, ...names);
      const held = new Map(names.map((name) => [name, new Set<number>()]));
      const ended = new Map<number, string>();
      const end = (id: number, how: string): void => {
        expect(ended.has(id)).toBe(false);
        ended.set(id, how);
      };
      const act = (name: string, action: number): void => {
        const files = held.get(name) ?? new Set();
        const [first] = files;
        if (action < 5) {
          const id = dispatch.take(name);
          if (id !== undefined) files.add(id);
        } else if (action < 9 && first !== undefined) {
          files.delete(first);
          if (dispatch.complete(first, name) === "fresh") end(first, "done");
        } else if (action === 9 && name !== "w1") {
          const { quarantined } = dispatch.lose(name, true);
          if (quarantined !== undefined) end(quarantined, "set aside");
          files.clear();
        }
      };
      for (const [worker, action] of actions) act(names[worker] ?? "w1", action);
      // Whoever is left finishes the work; with every step one file is taken or finished.
      for (let step = 0; step < fileBytes.length * 20 && !dispatch.isSettled; step++) {
        for (const name of dispatch.workers) act(name, step % 2 === 0 ? 0 : 5);
      }
      expect(dispatch.isSettled).toBe(true);
      expect(ended.size).toBe(fileBytes.length);
    }),
  );
});

describe("the kill plan", () => {
  /** Works one file at a time until the plan strikes; returns the share that was done then. */
  function shareAtStrike(fileBytes: readonly number[]): number | undefined {
    const dispatch = dispatchOf(fileBytes, "w1", "w2");
    const plan = new KillPlan(dispatch);
    const held: [string, number][] = [];
    while (!dispatch.isSettled) {
      for (const worker of ["w1", "w2"]) {
        const id = dispatch.take(worker);
        if (id !== undefined) held.push([worker, id]);
        const victim = plan.victim(
          new Map(["w1", "w2"].map((name) => [name, dispatch.heldFiles(name)])),
        );
        if (victim === undefined) continue;
        plan.killed(victim, dispatch.heldFiles(victim), 0);
        return plan.outcome?.atShare;
      }
      const oldest = held.shift();
      if (oldest !== undefined) dispatch.complete(oldest[1], oldest[0]);
    }
    return undefined;
  }

  test("strikes between 40 % and 60 % of the bytes while the victim holds files", () => {
    const anySizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 20, maxLength: 100 });
    fc.assert(
      fc.property(anySizes, (fileBytes) => {
        const share = shareAtStrike(fileBytes);
        expect(share).toBeGreaterThanOrEqual(0.4 - 20 / fileBytes.reduce((a, b) => a + b));
        expect(share).toBeLessThanOrEqual(0.6);
      }),
    );
  });

  test("strikes even if one file is most of the bytes", () => {
    expect(shareAtStrike([1_000, 1, 1])).toBe(0);
  });

  test("spares the last worker", () => {
    const dispatch = dispatchOf([10], "w1");
    const plan = new KillPlan(dispatch);
    dispatch.take("w1");
    expect(plan.victim(new Map([["w1", 1]]))).toBeUndefined();
  });
});
