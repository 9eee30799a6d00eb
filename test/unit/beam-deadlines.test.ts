import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Deadlines } from "../../dist/ts/beam/deadlines.js";

class Wait {
  isSettled = false;
  expire(): void {
    this.isSettled = true;
  }
}

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

describe("many waits", () => {
  test("end when their time is over, with one timer for each length", () => {
    const deadlines = new Deadlines();
    const early = [0, 1, 2].map(() => new Wait());
    const late = new Wait();
    for (const wait of early) deadlines.add(100, wait);
    deadlines.add(5_000, late);
    expect(vi.getTimerCount()).toBe(2);
    vi.advanceTimersByTime(99);
    expect(early.some(({ isSettled }) => isSettled)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(early.every(({ isSettled }) => isSettled)).toBe(true);
    expect(late.isSettled).toBe(false);
    vi.advanceTimersByTime(4_900);
    expect(late.isSettled).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    expect(deadlines.size).toBe(0);
  });

  test("that began later end later, at most a thirty-second part", () => {
    const deadlines = new Deadlines();
    const [first, second] = [new Wait(), new Wait()];
    deadlines.add(320, first);
    vi.advanceTimersByTime(100);
    deadlines.add(320, second);
    vi.advanceTimersByTime(220);
    expect([first.isSettled, second.isSettled]).toEqual([true, false]);
    vi.advanceTimersByTime(111);
    expect(second.isSettled).toBe(true);
  });

  test("that were settled are forgotten behind one that goes on", () => {
    const deadlines = new Deadlines();
    const slow = new Wait();
    deadlines.add(5_000, slow);
    for (let count = 0; count < 100_000; count++) {
      const wait = new Wait();
      deadlines.add(5_000, wait);
      wait.isSettled = true;
    }
    expect(deadlines.size).toBeLessThan(2_048);
    vi.advanceTimersByTime(5_000);
    expect(slow.isSettled).toBe(true);
  });
});
