import { afterEach, describe, expect, test } from "vitest";
import { Scene } from "./hostile-scene.ts";
import type { NodeProcess, Pressed } from "./node-process.ts";

const MIB = 1 << 20;
/** What a sender keeps for one peer: high water, what the rings held by then, two windows. */
const HELD_BYTES_MAX = 16 * MIB;
/** How long the receiver does not run: longer than the shorter silence limit below. */
const STOPPED_MS = Number(process.env["FOUNDATION_TEST_STOPPED_MS"] ?? 5_000);

let scene: Scene;
afterEach(async () => scene.close());

/** A receiver that the victim sends to as fast as it may. */
async function pressed(silentAfterMs: number): Promise<NodeProcess> {
  scene = await Scene.open({ silentAfterMs });
  await scene.begin();
  const reader = await scene.processes.start("reader", { silentAfterMs, seeds: [scene.address] });
  await reader.handle("sink", "pressed");
  await reader.handle("echo", "echo");
  await scene.victim.ready(3);
  await scene.victim.startPress("reader", "sink");
  await expect.poll(async () => (await reader.seen("sink")).messages).toBeGreaterThan(1_000);
  return reader;
}

/** Freezes it for as long as the test says. */
async function stopped(reader: NodeProcess, meanwhile: () => Promise<void>): Promise<void> {
  const over = new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
  reader.signal("SIGSTOP");
  try {
    await meanwhile();
    await over;
  } finally {
    reader.signal("SIGCONT");
  }
}

async function expectAscending(reader: NodeProcess, { accepted }: Pressed): Promise<void> {
  const { messages, misordered, damaged } = await reader.seen("sink");
  expect({ misordered, damaged }).toEqual({ misordered: 0, damaged: 0 });
  expect(messages).toBeLessThanOrEqual(accepted);
}

describe("a receiver that reads nothing", () => {
  test("within the silence limit holds its sender back, and nothing is lost", async () => {
    const reader = await pressed(STOPPED_MS + 60_000);
    await stopped(reader, async () => {
      // There is no room any more: sends are refused, waits and calls end as they were told to.
      const { peers } = await scene.victim.metrics();
      expect(peers.map(({ node }) => node)).toContain("reader");
    });
    const sent = await scene.victim.stopPress();
    expect(sent.refusals).toBeGreaterThan(0);
    expect(sent.codes).toEqual({ timeout: expect.any(Number) });
    const arrived = async (): Promise<number> => (await reader.seen("sink")).messages;
    await expect.poll(arrived, { timeout: 30_000 }).toBe(sent.accepted);
    await expectAscending(reader, sent);
    const { linksLost, dropped } = await scene.victim.metrics();
    expect({ linksLost, dropped }).toEqual({ linksLost: 0, dropped: {} });
    await scene.expectUnharmed(HELD_BYTES_MAX);
  });

  test("beyond it is down, which is counted and told, and up again when it goes on", async () => {
    const reader = await pressed(3_000);
    const up = scene.victim.nextEvent("up", "reader", STOPPED_MS + 30_000);
    await stopped(reader, async () => {
      const down = await scene.victim.nextEvent("down", "reader");
      expect(down).toMatchObject({ name: "reader", reason: "silent" });
    });
    await up;
    const before = (await reader.seen("sink")).messages;
    await expect.poll(async () => (await reader.seen("sink")).messages).toBeGreaterThan(before);
    const sent = await scene.victim.stopPress();
    // Waits and calls of before end with the link; sends are refused by name until it is back.
    expect(sent.codes["noconnection"]).toBeGreaterThan(0);
    expect(Object.keys(sent.codes).toSorted()).toEqual(["noconnection", "timeout"]);
    await expectAscending(reader, sent);
    const { linksEnded, linksLost, backlogRecords } = await scene.victim.metrics();
    expect(linksEnded).toMatchObject({ silent: 1 });
    expect(linksLost).toBe(1);
    expect(backlogRecords).toBe(0);
    await scene.expectUnharmed(HELD_BYTES_MAX);
  });
});
