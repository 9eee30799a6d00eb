import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FOREVER_MS, Wait } from "../../ts/base/deadline.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const late = (): string => "it took too long";

describe("a wait", () => {
  // A worker that monitors a process elsewhere could not end by itself for such a timer.
  test.each([
    {},
    { timeoutMs: FOREVER_MS },
    { timeoutMs: 2 ** 40 },
    { timeoutMs: Number.POSITIVE_INFINITY },
  ])("that nothing bounds takes no timer and ends with its value: %j", async (options) => {
    const wait = new Wait<number>(options, "timeout", late);
    expect(vi.getTimerCount()).toBe(0);
    wait.resolve(7);
    await expect(wait.promise).resolves.toBe(7);
  });

  test("ends with the given code and text when its time is over, and not before", async () => {
    const wait = new Wait<number>({ timeoutMs: 1_000 }, "join_failed", late);
    const ended = vi.fn();
    wait.promise.catch(ended);
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await expect(wait.promise).rejects.toMatchObject({ code: "join_failed", message: late() });
  });

  test("makes its text only when it is late", async () => {
    const text = vi.fn(late);
    const wait = new Wait<number>({ timeoutMs: 10 }, "timeout", text);
    wait.resolve(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(text).not.toHaveBeenCalled();
  });

  test("lets go of timer and signal however it ends", async () => {
    const endings: ((wait: Wait<number>, controller: AbortController) => void)[] = [
      (wait) => wait.resolve(1),
      (wait) => wait.reject(new Error("x")),
      (_wait, controller) => controller.abort(),
      () => vi.advanceTimersByTime(10),
    ];
    for (const end of endings) {
      const controller = new AbortController();
      const options = { timeoutMs: 10, signal: controller.signal };
      const wait = new Wait<number>(options, "timeout", late);
      wait.promise.catch(() => {});
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
      end(wait, controller);
      expect(vi.getTimerCount()).toBe(0);
      expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    }
  });

  test("ends with aborted and the signal's reason", async () => {
    const controller = new AbortController();
    const wait = new Wait<number>({ signal: controller.signal }, "timeout", late);
    const reason = new Error("no longer needed");
    controller.abort(reason);
    await expect(wait.promise).rejects.toMatchObject({ code: "aborted", cause: reason });
  });

  test("of a signal that was aborted before is over at once", async () => {
    const onSettled = vi.fn();
    const options = { timeoutMs: 10, signal: AbortSignal.abort() };
    const wait = new Wait<number>(options, "timeout", late, onSettled);
    await expect(wait.promise).rejects.toMatchObject({ code: "aborted" });
    expect(onSettled).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("ends once: what comes later changes nothing and is not told again", async () => {
    const onSettled = vi.fn();
    const wait = new Wait<number>({ timeoutMs: 10 }, "timeout", late, onSettled);
    wait.resolve(1);
    wait.reject(new Error("later"));
    wait.resolve(2);
    await vi.advanceTimersByTimeAsync(100);
    await expect(wait.promise).resolves.toBe(1);
    expect(onSettled).toHaveBeenCalledOnce();
  });
});
