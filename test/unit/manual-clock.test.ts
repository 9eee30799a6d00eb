import { describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";

describe("a manual clock", () => {
  test("stands still until it is told to go on", () => {
    const clock = new ManualClock(5_000);
    expect([clock.now(), clock.wallNow()]).toEqual([0, 5_000]);
    clock.advance(250);
    expect([clock.now(), clock.wallNow()]).toEqual([250, 5_250]);
  });

  test("runs timers at their times and in order, also those that others set", () => {
    const clock = new ManualClock();
    const ran: [string, number][] = [];
    const note = (name: string) => (): void => void ran.push([name, clock.now()]);
    clock.after(30, note("late"));
    clock.after(10, () => {
      note("early")();
      clock.after(10, note("set on the way"));
    });
    clock.after(100, note("not yet"));
    clock.advance(50);
    expect(ran).toEqual([
      ["early", 10],
      ["set on the way", 20],
      ["late", 30],
    ]);
    expect([clock.now(), clock.pending]).toEqual([50, 1]);
  });

  test("forgets a cancelled timer", () => {
    const clock = new ManualClock();
    let runs = 0;
    const cancel = clock.after(10, () => (runs += 1));
    cancel();
    clock.advance(20);
    expect([runs, clock.pending]).toEqual([0, 0]);
  });

  test("lets promises go on before time does", async () => {
    const clock = new ManualClock();
    const pass = async (ms: number): Promise<void> => {
      await new Promise<void>((resolve) => clock.after(ms, resolve));
    };
    const times: number[] = [];
    const loop = async (): Promise<void> => {
      for (let turn = 0; turn < 3; turn++) {
        await pass(10);
        times.push(clock.now());
      }
    };
    const done = loop();
    await clock.advanceAsync(30);
    await done;
    expect(times).toEqual([10, 20, 30]);
  });
});
