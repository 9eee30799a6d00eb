import { beforeEach, describe, expect, test } from "vitest";
import { Messages } from "../../dist/ts/beam/messages/messages.js";
import type { Outward } from "../../dist/ts/beam/messages/outward.js";
import type { Pid } from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

/** What an isolate of no node can do with messages that would leave it: nothing. */
const nothing = (): never => {
  throw new Error("nothing leaves this isolate");
};
const OUTWARD: Outward = {
  inlineBytesMax: 16 << 10,
  messageBytesMax: 1 << 20,
  countBytes: nothing,
  channelOfPriority: nothing,
  priorityOf: nothing,
  sendCounted: nothing,
  sendMany: nothing,
  accountWith: nothing,
  sendCredited: nothing,
  grant: nothing,
};

let scene: Scene;
let processes: Scene["processes"];
let messages: Messages;
beforeEach(() => {
  scene = new Scene();
  ({ processes } = scene);
  messages = new Messages(processes, scene.runtime.home, OUTWARD);
});

/** A process that takes one message and keeps it until it is let on. */
class Slow {
  readonly seen: unknown[] = [];
  readonly pid: Pid;
  #next: () => void = () => {};

  constructor(messagesMax: number, name?: string) {
    const handle = async (message: unknown): Promise<void> => {
      this.seen.push(message);
      await new Promise<void>((resolve) => {
        this.#next = resolve;
      });
    };
    const options = name === undefined ? {} : { name };
    this.pid = processes.spawn<unknown>(handle, { mailbox: { messagesMax }, ...options });
  }

  async goOn(): Promise<void> {
    this.#next();
    await settled();
  }

  /** One message in the handler, and a mailbox with as many as it holds. */
  static async full(): Promise<Slow> {
    const slow = new Slow(1);
    processes.send(slow.pid, "first");
    await settled();
    processes.send(slow.pid, "second");
    expect(processes.send(slow.pid, "no room")).toBe(false);
    return slow;
  }
}

describe("the size of a message", () => {
  test.each([
    ["nothing much", "packed", "bundle", "direct"],
    [new Uint8Array(900), "bytes", "bundle", "direct"],
    [new Uint8Array(1 << 10), "bytes", "inline", "direct"],
    [new Uint8Array(16 << 10), "bytes", "slab", "flowControlled"],
    ["x".repeat(20 << 10), "packed", "slab", "flowControlled"],
    [new Uint8Array(1 << 20), "bytes", "refused", undefined],
  ])("case %#", (value, kind, travel, elsewhere) => {
    const size = messages.analyzeMessageSize(value);
    expect(size).toMatchObject({ kind, travel, strategy: { sameIsolate: "direct", elsewhere } });
    expect(size.copies.sameIsolate).toBe(0);
    expect(size.encodedBytes).toBeGreaterThan((value as string).length);
  });

  test("of what cannot be encoded is an error", () => {
    const analyze = (): unknown => messages.analyzeMessageSize(() => {});
    expect(analyze).toThrow(expect.objectContaining({ code: "unencodable" }));
  });
});

describe("back-pressure", () => {
  test("accepts where there is room", async () => {
    const seen: unknown[] = [];
    const pid = processes.spawn((message: unknown) => void seen.push(message));
    const { outcome, waiting, done } = messages.sendWithBackpressure(pid, "here");
    expect([outcome, waiting, await done]).toEqual(["accepted", 0, { outcome: "accepted" }]);
    await settled();
    expect(seen).toEqual(["here"]);
  });

  test("drops what finds no room", async () => {
    const slow = await Slow.full();
    const receipt = messages.sendWithBackpressure(slow.pid, 1, { whenFull: "drop" });
    expect(await receipt.done).toEqual({ outcome: "dropped", reason: "full" });
    expect(messages.counts()).toMatchObject({ dropped: 1, queued: 0 });
  });

  test("queues in order, up to a bound, and nothing overtakes", async () => {
    const slow = await Slow.full();
    const send = (message: number): string => {
      return messages.sendWithBackpressure(slow.pid, message, { queueMax: 2 }).outcome;
    };
    expect([send(1), send(2), send(3)]).toEqual(["queued", "queued", "dropped"]);
    await slow.goOn(); // "second" is handled, its place is taken by 1
    expect(send(4)).toBe("queued");
    const { outcome } = messages.sendWithBackpressure(slow.pid, 5, { whenFull: "drop" });
    expect(outcome).toBe("dropped");
    for (let turn = 0; turn < 4; turn++) await slow.goOn();
    expect(slow.seen).toEqual(["first", "second", 1, 2, 4]);
    expect(messages.counts()).toEqual({
      accepted: 0,
      queued: 3,
      dropped: 2,
      redirected: 0,
      acceptedLater: 3,
      droppedLater: 0,
      waiting: 0,
    });
  });

  test("redirects, and drops where the other one is full too", async () => {
    const slow = await Slow.full();
    const other = new Slow(1, "other");
    const options = { whenFull: "redirect", redirectTo: "other" } as const;
    expect(messages.sendWithBackpressure(slow.pid, 1, options).outcome).toBe("redirected");
    await settled();
    messages.sendWithBackpressure(slow.pid, 2, options);
    expect(messages.sendWithBackpressure(slow.pid, 3, options).outcome).toBe("dropped");
    await other.goOn();
    expect(other.seen).toEqual([1, 2]);
    expect(messages.counts()).toMatchObject({ redirected: 2, dropped: 1 });
  });

  test("takes out of the queue what is aborted or late, and nothing else", async () => {
    const slow = await Slow.full();
    const abort = new AbortController();
    const aborted = messages.sendWithBackpressure(slow.pid, 1, { signal: abort.signal });
    const late = messages.sendWithBackpressure(slow.pid, 2, { timeoutMs: 1 });
    const kept = messages.sendWithBackpressure(slow.pid, 3);
    abort.abort(new Error("enough"));
    expect(await aborted.done).toMatchObject({ outcome: "dropped", reason: "aborted" });
    expect(await late.done).toMatchObject({ outcome: "dropped", reason: "timeout" });
    await slow.goOn();
    expect(await kept.done).toEqual({ outcome: "accepted" });
    await slow.goOn();
    expect(slow.seen).toEqual(["first", "second", 3]);
    expect(messages.counts()).toMatchObject({ acceptedLater: 1, droppedLater: 2 });
    const gone = messages.sendWithBackpressure(slow.pid, 4, { signal: abort.signal });
    expect(gone.outcome).toBe("dropped");
  });

  test("lets go of what waits for a process that ends: it is sent to nobody", async () => {
    const slow = await Slow.full();
    const { done } = messages.sendWithBackpressure(slow.pid, 1);
    processes.exit(slow.pid, "kill");
    expect(await done).toEqual({ outcome: "accepted" });
    expect(scene.runtime.counts.toNobody).toBe(1);
  });

  test.each([
    { whenFull: "redirect" },
    { whenFull: "drop", redirectTo: "other" },
    { whenFull: "drop", timeoutMs: 5 },
    { whenFull: "drop", queueMax: 5 },
    { whenFull: "queue", queueMax: 0 },
    { whenFull: "whatever" },
  ])("refuses options that have no effect: %o", (options) => {
    const send = (): unknown => messages.sendWithBackpressure("x", 1, options as never);
    expect(send).toThrow(expect.objectContaining({ code: "invalid_options" }));
  });
});

describe("an optimized send", () => {
  test("inside the isolate copies nothing: the very object arrives", async () => {
    const seen: unknown[] = [];
    const pid = processes.spawn((message: unknown) => void seen.push(message));
    const data = { bytes: new Uint8Array(1 << 20) };
    const receipt = await messages.sendOptimized(pid, data);
    expect(receipt).toEqual({ accepted: true, strategy: "direct", copies: 0, copiedBytes: 0 });
    await settled();
    expect(seen[0]).toBe(data);
  });

  test("by sharing copies into shared memory once, and not what lies there", async () => {
    const seen: Uint8Array[] = [];
    const pid = processes.spawn((message: Uint8Array) => void seen.push(message));
    const options = { strategy: "sharing" } as const;
    const bytes = new Uint8Array(100_000).fill(3);
    const first = await messages.sendOptimized(pid, bytes, options);
    expect(first).toMatchObject({ strategy: "sharing", copies: 1, copiedBytes: 100_000 });
    await settled();
    const [shared] = seen as [Uint8Array];
    expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(shared).toEqual(bytes);
    const second = await messages.sendOptimized(pid, shared, options);
    expect(second).toMatchObject({ copies: 0, copiedBytes: 0 });
    await settled();
    expect(seen[1]).toBe(shared);
  });

  test("waits for room by flow control, or answers that there is none", async () => {
    const slow = await Slow.full();
    const direct = await messages.sendOptimized(slow.pid, 0, { strategy: "direct" });
    expect(direct.accepted).toBe(false);
    const waiting = [
      messages.sendOptimized(slow.pid, 1, { strategy: "flowControlled" }),
      messages.sendOptimized(slow.pid, 2),
      messages.sendOptimized(slow.pid, 3, { strategy: "direct", flowControl: "automatic" }),
    ];
    for (let turn = 0; turn < 5; turn++) await slow.goOn();
    const receipts = await Promise.all(waiting);
    expect(receipts.map(({ strategy }) => strategy)).toEqual([
      "flowControlled",
      "flowControlled",
      "direct",
    ]);
    expect(receipts.every(({ accepted }) => accepted)).toBe(true);
    expect(slow.seen).toEqual(["first", "second", 1, 2, 3]);
  });

  test.each([
    { strategy: "sharing" }, // of what is no bytes
    { strategy: "refCountedBinary" }, // of what is no bytes
    { strategy: "direct", timeoutMs: 5 }, // which does not wait
    { priority: 0 }, // of a receiver in this isolate
    { flowcontrol: "manual" }, // a mistyped name
    { strategy: "teleport" },
    { flowControl: "none" },
    { channel: "default" }, // of a receiver in this isolate
  ])("refuses what cannot be honoured: %o", async (options) => {
    const pid = processes.spawn(() => {});
    const sent = messages.sendOptimized(pid, { not: "bytes" }, options as never);
    await expect(sent).rejects.toMatchObject({ code: "invalid_options" });
  });
});
