import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { LocalMailbox } from "../../ts/kernel/local-mailbox.ts";

/** Messages that a mailbox takes at most. */
const WAITING_MAX = 65_536;

/** A mailbox that tells when it was emptied. */
function mailbox(): { box: LocalMailbox; emptied: Promise<unknown> } {
  const target = new EventTarget();
  const emptied = once(target, "empty", { signal: AbortSignal.timeout(5_000) });
  return { box: new LocalMailbox(() => target.dispatchEvent(new Event("empty"))), emptied };
}

describe("the local mailbox", () => {
  test("runs messages after the present code, in their order", async () => {
    const { box, emptied } = mailbox();
    const heard: number[] = [];
    for (let index = 0; index < 1_000; index++) box.push(() => heard.push(index));
    expect(heard).toEqual([]);
    await emptied;
    expect(heard).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(box.size).toBe(0);
  });

  test("puts messages that a message sends behind those that wait", async () => {
    const { box, emptied } = mailbox();
    const heard: string[] = [];
    box.push(() => {
      heard.push("first");
      box.push(() => heard.push("sent by the first"));
    });
    box.push(() => heard.push("second"));
    await emptied;
    expect(heard).toEqual(["first", "second", "sent by the first"]);
  });

  test("lets timers and I/O have their turn between batches", async () => {
    const { box, emptied } = mailbox();
    let turns = 0;
    let left = 2_000;
    const pass = (): void => {
      left -= 1;
      if (left > 0) box.push(pass); // two names that answer each other without end
    };
    box.push(pass);
    const counting = (async () => {
      for (; left > 0; turns++) await turn();
    })();
    await Promise.all([emptied, counting]);
    expect(turns).toBeGreaterThan(5);
  });

  test("refuses what is above its limit, and takes again once it ran", async () => {
    const { box, emptied } = mailbox();
    let runs = 0;
    const run = (): void => void runs++;
    let taken = 0;
    while (box.push(run)) taken++;
    expect(taken).toBe(WAITING_MAX);
    expect(box.hasRoom).toBe(false);
    await emptied;
    expect(runs).toBe(WAITING_MAX);
    expect(box.push(run)).toBe(true);
  });
});
