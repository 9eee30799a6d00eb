import { expect, test } from "vitest";
import { SYSTEM_CLOCK } from "../../ts/base/clock.ts";

/** Timers that keep this program alive. */
function aliveTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}

test("a timer keeps a program alive where it is asked to, until it is cancelled", () => {
  const before = aliveTimers();
  const cancelSilent = SYSTEM_CLOCK.after(60_000, () => {});
  expect(aliveTimers()).toBe(before);
  const cancel = SYSTEM_CLOCK.after(60_000, () => {}, true);
  expect(aliveTimers()).toBe(before + 1);
  cancel();
  cancelSilent();
  expect(aliveTimers()).toBe(before);
});
