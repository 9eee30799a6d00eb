import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { Calls } from "../../ts/kernel/calls.ts";

const OPTIONS = { timeoutMs: 5_000 };

describe("calls under way", () => {
  test("get the answers of their own numbers, whatever their order", async () => {
    const calls = new Calls();
    const opened = [1, 2, 3].map((peer) => calls.open(peer, "'a' at 'b'", OPTIONS));
    for (const { id } of [...opened].reverse()) calls.resolve(id, `answer ${id}`);
    const answers = await Promise.all(opened.map(({ promise }) => promise));
    expect(answers).toEqual(opened.map(({ id }) => `answer ${id}`));
    expect(calls.size).toBe(0);
  });

  test("are numbered from 1 without a number twice", () => {
    const calls = new Calls();
    const ids = Array.from({ length: 100 }, () => calls.open(0, "x", {}).id);
    expect(ids).not.toContain(0);
    expect(new Set(ids).size).toBe(100);
  });

  test("that are late name their target and time, and their answer is counted", async () => {
    const calls = new Calls();
    const { id, promise } = calls.open(1, "'a' at 'b'", { timeoutMs: 1 });
    await expect(promise).rejects.toMatchObject({
      code: "timeout",
      message: "no answer from 'a' at 'b' within 1 ms",
    });
    expect(calls.isOpen(id)).toBe(false);
    calls.resolve(id, "late");
    calls.reject(id, new Error("late"));
    expect(calls.lateReplies).toBe(2);
  });

  test("end with their peer and leave the others open", async () => {
    const calls = new Calls();
    const [lost, kept] = [calls.open(1, "x", OPTIONS), calls.open(2, "x", OPTIONS)];
    calls.rejectAll("noconnection", "the link went down", 1);
    await expect(lost.promise).rejects.toMatchObject({ code: "noconnection" });
    expect(calls.isOpen(kept.id)).toBe(true);
    calls.close(new FoundationError("node_left", "the node left"));
    await expect(kept.promise).rejects.toMatchObject({ code: "node_left" });
    expect(calls.size).toBe(0);
  });

  test("that are given up end as aborted; those that have ended are left alone", async () => {
    const calls = new Calls();
    const [given, answered] = [calls.open(1, "x", OPTIONS), calls.open(1, "x", OPTIONS)];
    calls.resolve(answered.id, "answer");
    calls.giveUp(answered.id);
    calls.giveUp(given.id);
    await expect(answered.promise).resolves.toBe("answer");
    await expect(given.promise).rejects.toMatchObject({ code: "aborted" });
    expect(calls.size).toBe(0);
    expect(calls.lateReplies).toBe(0);
  });

  test("of a signal that was aborted before never open", async () => {
    const calls = new Calls();
    const { id, promise } = calls.open(1, "x", { signal: AbortSignal.abort() });
    expect(calls.isOpen(id)).toBe(false);
    expect(calls.size).toBe(0);
    await expect(promise).rejects.toMatchObject({ code: "aborted" });
  });
});
