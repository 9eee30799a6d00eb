import { describe, expect, test } from "vitest";
import { Mailbox } from "../../dist/ts/beam/mailbox.js";
import type { Self } from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

function drain(mailbox: Mailbox): unknown[] {
  const items: unknown[] = [];
  while (mailbox.size > 0) items.push(mailbox.shift());
  return items;
}

test("what waits in all mailboxes, and in the fullest, is a figure of the isolate", async () => {
  const { processes } = new Scene();
  expect(processes.mailboxes()).toEqual({ messages: 0, longest: 0 });
  const [one, two] = [processes.spawn(() => {}), processes.spawn(() => {})];
  processes.send(one, 1);
  for (const message of [1, 2, 3]) processes.send(two, message);
  expect(processes.mailboxes()).toEqual({ messages: 4, longest: 3 });
  await settled();
  expect(processes.mailboxes()).toEqual({ messages: 0, longest: 0 });
  for (const pid of [one, two]) processes.exit(pid, "kill");
});

describe("a mailbox", () => {
  test("gives messages out in the order they came, however many", () => {
    const mailbox = new Mailbox();
    const expected: number[] = [];
    const got: unknown[] = [];
    for (let number = 0; number < 10_000; number++) {
      mailbox.push(number);
      expected.push(number);
      if (number % 3 === 0) got.push(mailbox.shift());
    }
    expect([...got, ...drain(mailbox)]).toEqual(expected);
    expect(mailbox.size).toBe(0);
  });

  test("gives out what somebody wants, and leaves the others in order", () => {
    const mailbox = new Mailbox();
    for (const item of [1, 2, 3, 2, 5]) mailbox.push(item);
    expect(mailbox.take((item) => item === 2)).toEqual({ item: 2 });
    expect(mailbox.take((item) => item === 1)).toEqual({ item: 1 });
    expect(mailbox.take((item) => item === 9)).toBeUndefined();
    expect(mailbox.waiting()).toEqual([3, 2, 5]);
    expect(drain(mailbox)).toEqual([3, 2, 5]);
  });

  test.each([1, 3, 5])("finds what is wanted though its match has taken %d out", (nested) => {
    const mailbox = new Mailbox();
    for (const item of [1, 2, 3, 4, 5]) mailbox.push(item);
    const isFour = (item: unknown): boolean => {
      if (item === 3) mailbox.take((one) => one === nested);
      return item === 4;
    };
    expect(mailbox.take(isFour)).toEqual({ item: 4 });
    expect(drain(mailbox)).toEqual([1, 2, 3, 5].filter((item) => item !== nested));
  });
});

test("shows what waits in it, and the bytes of what is bytes", async () => {
  const { processes } = new Scene();
  const pid = processes.spawn(() => new Promise(() => {}));
  processes.send(pid, "under way");
  await settled();
  processes.send(pid, new Uint8Array(1_000));
  processes.cast(pid, new Uint8Array(24));
  processes.send(pid, { no: "size of its own" });
  const info = await processes.processInfo(pid);
  expect(info).toMatchObject({ status: "busy", mailbox: { messages: 3, bytes: 1_024 } });
});

test("tells the oldest without taking it", () => {
  const mailbox = new Mailbox();
  expect(mailbox.first).toBeUndefined();
  for (const item of ["a", "b"]) mailbox.push(item);
  expect([mailbox.first, mailbox.shift(), mailbox.first, mailbox.size]).toEqual(["a", "a", "b", 1]);
});

describe("a full mailbox", () => {
  const fill = (policy: "block" | "credit" | "dropNewest" | "dropOldest") => {
    const scene = new Scene();
    const got: unknown[] = [];
    const pid = scene.processes.spawn((message: unknown) => void got.push(message), {
      mailbox: { messagesMax: 3, policy },
    });
    const answers = [1, 2, 3, 4].map((message) => scene.processes.send(pid, message));
    return { ...scene, scene, pid, got, answers };
  };

  test.each(["block", "credit"] as const)(
    "of policy %s refuses, and wakes who waits",
    async (policy) => {
      const { processes, pid, got, answers } = fill(policy);
      expect(answers).toEqual([true, true, true, false]);
      await processes.drained(pid);
      expect(processes.send(pid, 5)).toBe(true);
      await settled();
      expect(got).toEqual([1, 2, 3, 5]);
      expect((await processes.processInfo(pid))?.mailbox.dropped).toBe(0);
    },
  );

  test("of policy dropNewest loses the new one, and says so", async () => {
    const { processes, pid, got, answers, runtime } = fill("dropNewest");
    expect(answers).toEqual([true, true, true, false]);
    await settled();
    expect(got).toEqual([1, 2, 3]);
    expect((await processes.processInfo(pid))?.mailbox.dropped).toBe(1);
    expect(runtime.counts.messagesDropped).toBe(1);
  });

  test("of policy dropOldest loses the old one; a call among them fails", async () => {
    const { processes, pid, got, answers } = fill("dropOldest");
    expect(answers).toEqual([true, true, true, true]);
    const call = processes.call(pid, "call");
    for (const message of [5, 6, 7]) processes.send(pid, message);
    await expect(call).rejects.toMatchObject({ code: "mailbox_full" });
    await settled();
    expect(got).toEqual([5, 6, 7]);
  });

  test("of policy dropOldest loses no signal, and is left as full as it is", async () => {
    const { processes, runtime } = new Scene();
    const got: unknown[] = [];
    const pid = processes.spawn((message: unknown) => void got.push(message), {
      mailbox: { messagesMax: 2, policy: "dropOldest" },
    });
    const other = processes.spawn(() => {});
    const ref = runtime.find(pid)!.monitor(other);
    const ended = processes.exitOf(pid);
    processes.exit(other, "gone");
    void processes.stop(pid, "done");
    expect(processes.send(pid, "there is no message to lose but this one")).toBe(false);
    expect((await processes.processInfo(pid))?.mailbox).toMatchObject({ messages: 2, dropped: 1 });
    expect(await ended).toBe("done");
    expect(got).toEqual([{ kind: "DOWN", ref, pid: other, reason: "gone" }]);
  });

  test("wakes who waits for room when `receive` takes something out", async () => {
    const { processes } = new Scene();
    const got: unknown[] = [];
    const reader = async (message: unknown, self: Self): Promise<void> => {
      for (got.push(message); ; ) {
        await new Promise((resolve) => setImmediate(resolve));
        got.push(await self.receive());
      }
    };
    const pid = processes.spawn(reader, { mailbox: { messagesMax: 1 } });
    for (let number = 0; number < 4; number++) {
      while (!processes.send(pid, number)) await processes.drained(pid);
    }
    await settled();
    expect(got).toEqual([0, 1, 2, 3]);
  });

  test("lets go of who waits for room when its process ends", async () => {
    const { processes, pid } = fill("block");
    const drained = processes.drained(pid);
    const call = processes.call(pid, 1);
    processes.exit(pid, "kill");
    await drained;
    await expect(call).rejects.toMatchObject({ code: "noproc" });
  });

  test("takes signals all the same", async () => {
    const { processes, runtime, pid } = fill("block");
    const other = processes.spawn(() => {});
    const process = runtime.find(pid)!;
    process.trapExit = true;
    process.link(other);
    processes.exit(other, "gone");
    expect((await processes.processInfo(pid))?.mailbox.messages).toBe(4);
  });

  test.each([
    [{ messagesMax: 0 }, /messagesMax/],
    [{ messagesMax: 1.5 }, /messagesMax/],
    [{ policy: "lose" as never }, /policy/],
  ])("of impossible options %j is refused", (mailbox, message) => {
    const { processes } = new Scene();
    expect(() => processes.spawn(() => {}, { mailbox })).toThrow(
      expect.objectContaining({ code: "invalid_options", message: expect.stringMatching(message) }),
    );
    expect(processes.list()).toEqual([]);
  });
});
