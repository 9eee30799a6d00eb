import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, nextEventOf } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

/** A caller, an answerer whose answer waits for the test, and what is called. */
async function heldAnswer() {
  const [caller, answerer] = await nodes.startCluster(["caller", "answerer"]);
  let asked = (): void => {};
  let answer = (_: string): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const held = new Promise<string>((resolve) => {
    answer = resolve;
  });
  answerer!.handle("held", async () => {
    asked();
    return held;
  });
  answerer!.handle("echo", (message) => message);
  return { caller: caller!, answerer: answerer!, isAsked, answer };
}

const HELD = { node: "answerer", name: "held" };
const ECHO = { node: "answerer", name: "echo" };

describe("a call", () => {
  test("that was aborted rejects with the reason, and its late answer is discarded", async () => {
    const { caller, isAsked, answer } = await heldAnswer();
    const controller = new AbortController();
    const call = caller.call(HELD, "?", { signal: controller.signal });
    await isAsked;
    controller.abort("enough");
    await expect(call).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    expect(caller.metrics().isolate).toMatchObject({ callsWaiting: 0, lateReplies: 0 });
    answer("too late");
    await expect.poll(() => caller.metrics().isolate.lateReplies).toBe(1);
    expect(await caller.call(ECHO, "next")).toBe("next");
  });

  test("with a signal that was aborted before is not sent", async () => {
    const { caller, answerer } = await heldAnswer();
    const call = caller.call(HELD, "?", { signal: AbortSignal.abort("before") });
    await expect(call).rejects.toMatchObject({ code: "aborted", cause: "before" });
    await caller.call(ECHO, "a later message, so an earlier one would have come");
    expect(answerer.metrics().isolate.messages).toBe(1);
  });

  test("whose time is over rejects, and its late answer is discarded", async () => {
    const { caller, isAsked, answer } = await heldAnswer();
    const call = caller.call(HELD, "?", { timeoutMs: 100 });
    await isAsked;
    await expect(call).rejects.toMatchObject({ code: "timeout" });
    answer("too late");
    await expect.poll(() => caller.metrics().isolate.lateReplies).toBe(1);
    expect(await caller.call(ECHO, "next")).toBe("next");
  });

  test("of a name that nobody handles rejects at once", async () => {
    const { caller } = await heldAnswer();
    const call = caller.call({ node: "answerer", name: "nobody" }, "?", { timeoutMs: 60_000 });
    await expect(call).rejects.toMatchObject({ code: "noproc" });
  });

  test("of a handler that throws carries its message and nothing of its stack", async () => {
    const { caller, answerer } = await heldAnswer();
    answerer.handle("broken", () => {
      throw new TypeError("no such colour");
    });
    const error: unknown = await caller
      .call({ node: "answerer", name: "broken" }, "?")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "handler_failed" });
    expect((error as Error).message).toContain("no such colour");
    expect(JSON.stringify(error)).not.toContain("calls.test");
  });

  test("is rejected when the answerer leaves", async () => {
    const { caller, answerer, isAsked } = await heldAnswer();
    const call = caller.call(HELD, "?", { timeoutMs: 60_000 });
    const rejected = expect(call).rejects.toMatchObject({ code: "noconnection" });
    await isAsked;
    const down = nextEventOf(caller, "down", "answerer");
    await answerer.leave({ drainMs: 0 });
    await down;
    await rejected;
  });

  test("is rejected when the caller leaves", async () => {
    const { caller, isAsked } = await heldAnswer();
    const call = caller.call(HELD, "?", { timeoutMs: 60_000 });
    const rejected = expect(call).rejects.toMatchObject({ code: "noconnection" });
    await isAsked;
    await caller.leave({ drainMs: 0 });
    await rejected;
  });

  test("a hundred at a time are each answered with their own answer", async () => {
    const { caller } = await heldAnswer();
    const calls = Array.from({ length: 100 }, async (_, index) => caller.call(ECHO, index));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(caller.metrics().isolate).toMatchObject({ callsWaiting: 0, lateReplies: 0 });
  });
});
