import type { FlowControl, Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HOLDER_PLACES, HolderScene } from "./holder-scene.ts";

/** What a sending isolate may have unhandled at a receiver that gives credit as it handles. */
const CREDIT_MESSAGES = 64;
const MESSAGES = 200;

let scene: HolderScene;
beforeEach(async () => {
  scene = await HolderScene.open({ channels: { urgent: { priority: 0 }, bulk: { priority: 7 } } });
});
afterEach(async () => scene.close());

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

function sendAll(pid: Pid, flowControl: FlowControl, all: readonly number[]): Promise<unknown>[] {
  const { messages } = scene.here.beam;
  return all.map(async (number) => messages.sendOptimized(pid, number, { flowControl }));
}

const held = async (pid: Pid): Promise<unknown[]> => scene.order(pid, "held");

/** Messages in a mailbox. Asked of the runtime, since the handler may be at work. */
const inMailbox = async (pid: Pid): Promise<number> =>
  (await scene.here.beam.processes.processInfo(pid))?.mailbox.messages ?? -1;

/** The most that a mailbox holds while the event loops go round and round. */
async function mostInMailbox(pid: Pid): Promise<number> {
  let most = 0;
  for (let look = 0; look < 30; look++) most = Math.max(most, await inMailbox(pid));
  return most;
}

describe.each(HOLDER_PLACES)("a receiver %s", (place) => {
  let pid: Pid;
  beforeEach(async () => {
    pid = await scene.holder(place);
  });

  test("that gives credit as it handles never has more than that in its mailbox", async () => {
    await scene.openGate(place, 0);
    const sent = sendAll(pid, "creditBased", numbers(MESSAGES));
    // One is in the handler.
    await expect.poll(async () => inMailbox(pid)).toBe(CREDIT_MESSAGES - 1);
    expect(await mostInMailbox(pid)).toBe(CREDIT_MESSAGES - 1);
    expect(scene.here.beam.messages.counts().waiting).toBe(MESSAGES - CREDIT_MESSAGES);
    await scene.openGate(place, 10);
    const waiting = (): number => scene.here.beam.messages.counts().waiting;
    await expect.poll(waiting).toBe(MESSAGES - CREDIT_MESSAGES - 10);
    expect(await mostInMailbox(pid)).toBeLessThan(CREDIT_MESSAGES);
    await scene.openGate(place, Number.MAX_SAFE_INTEGER);
    await Promise.all(sent);
    await expect.poll(async () => held(pid)).toEqual(numbers(MESSAGES));
  });

  test("that grants by its word gets that many and no more, in order", async () => {
    const sent = sendAll(pid, "manual", numbers(20));
    expect(await mostInMailbox(pid)).toBe(0);
    expect(await held(pid)).toEqual([]);
    await scene.order(pid, "grant", { messages: 3 });
    await expect.poll(async () => held(pid)).toEqual(numbers(3));
    expect(await mostInMailbox(pid)).toBe(0);
    expect(await held(pid)).toEqual(numbers(3));
    await scene.order(pid, "grant", { messages: 30 });
    await Promise.all(sent);
    await expect.poll(async () => held(pid)).toEqual(numbers(20));
    // What nobody asked for is there for the next ones.
    await Promise.all(sendAll(pid, "manual", numbers(13, 20)));
    const late = scene.here.beam.messages.sendOptimized(pid, 33, {
      flowControl: "manual",
      timeoutMs: 20,
    });
    await expect(late).rejects.toMatchObject({ code: "timeout" });
    await expect.poll(async () => held(pid)).toEqual(numbers(33));
  });

  test.each(["creditBased", "manual"] as const)(
    "that ends lets go of what waits for its credit: %s",
    async (flowControl) => {
      await scene.openGate(place, 0);
      const sent = sendAll(pid, flowControl, numbers(MESSAGES));
      scene.here.beam.processes.exit(pid, "kill");
      await Promise.all(sent);
      expect(scene.here.beam.messages.counts().waiting).toBe(0);
    },
  );

  test("takes counted bytes by credit too", async () => {
    const { messages } = scene.here.beam;
    const counted = messages.countBytes(new Uint8Array(100_000));
    const receipts = await Promise.all(
      numbers(CREDIT_MESSAGES + 10).map(async () =>
        messages.sendOptimized(pid, counted, {
          strategy: "refCountedBinary",
          flowControl: "creditBased",
        }),
      ),
    );
    const isNear = place !== "at another node";
    for (const { copiedBytes } of receipts) {
      expect(copiedBytes < 100).toBe(isNear);
    }
    await expect.poll(async () => (await scene.order<unknown[]>(pid, "described")).length).toBe(74);
  });
});

test("`automatic` is bounded by the mailbox, in the isolate", async () => {
  const { processes, messages } = scene.here.beam;
  const pid = processes.spawn(async () => new Promise(() => {}), { mailbox: { messagesMax: 5 } });
  const sent = sendAll(pid, "automatic", numbers(20));
  expect(await mostInMailbox(pid)).toBe(5);
  expect(messages.counts().waiting).toBe(14);
  processes.exit(pid, "kill");
  await Promise.all(sent);
});

test("an aborted wait for a grant leaves the others their turn", async () => {
  const pid = await scene.holder("in another isolate");
  const { messages } = scene.here.beam;
  const abort = new AbortController();
  const options = { flowControl: "manual" } as const;
  const aborted = messages.sendOptimized(pid, 0, { ...options, signal: abort.signal });
  const next = messages.sendOptimized(pid, 1, { flowControl: "automatic" });
  abort.abort();
  await expect(aborted).rejects.toMatchObject({ code: "aborted" });
  expect(await next).toMatchObject({ accepted: true });
  await scene.order(pid, "grant", { messages: 1 });
  // What was asked for stays with the one who asked.
  await messages.sendOptimized(pid, 2, options);
  await expect.poll(async () => held(pid)).toEqual([1, 2]);
});

test("only the isolate of a process grants for it", async () => {
  const far = await scene.holder("in another isolate");
  const near = await scene.holder("in this isolate");
  const { messages } = scene.here.beam;
  expect(() => messages.grant(far, 1)).toThrow(expect.objectContaining({ code: "noproc" }));
  expect(() => messages.grant(near, 0)).toThrow(
    expect.objectContaining({ code: "invalid_options" }),
  );
  messages.grant(near, 1);
  expect(await messages.sendOptimized(near, 1, { flowControl: "manual" })).toMatchObject({
    accepted: true,
  });
});

describe("the channel of a message", () => {
  const sentOn = (channel: string): number =>
    scene.here.metrics().channels[channel]?.messagesSent ?? 0;

  test.each([
    [{ priority: 0 }, "urgent"],
    [{ priority: 7 }, "bulk"],
    [{ channel: "bulk", priority: 7 }, "bulk"],
    [{ channel: "urgent" }, "urgent"],
  ])("%o is %s", async (options, channel) => {
    const pid = await scene.atNode();
    const before = sentOn(channel);
    await scene.here.beam.messages.sendOptimized(pid, "hello", options);
    await expect.poll(async () => held(pid)).toEqual(["hello"]);
    expect(sentOn(channel)).toBe(before + 1);
  });

  test.each([
    [{ priority: 3 }, "invalid_options"],
    [{ priority: -1 }, "invalid_options"],
    [{ priority: 0.5 }, "invalid_options"],
    [{ channel: "bulk", priority: 0 }, "invalid_options"],
    [{ channel: "none", priority: 0 }, "unknown_channel"],
    [{ channel: "none" }, "unknown_channel"],
  ])("%o is %s", async (options, code) => {
    const pid = await scene.holder("in another isolate");
    const sent = scene.here.beam.messages.sendOptimized(pid, "hello", options);
    await expect(sent).rejects.toMatchObject({ code });
  });
});
