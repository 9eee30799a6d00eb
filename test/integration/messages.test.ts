import type { FoundationNode, Pid } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PLACES, type Place } from "./otp-places.ts";
import { Probe } from "./probe.ts";

const [IN_ONE_ISOLATE, , AT_TWO_NODES] = PLACES;
const ELSEWHERE = PLACES.slice(1, 3);
const KIB = 1 << 10;
/** More than any way takes without its receiver: 1,000 MiB. */
const MESSAGES_MAX = 500;

let place: Place;
let here: FoundationNode;
let messages: FoundationNode["beam"]["messages"];
let processes: FoundationNode["beam"]["processes"];

async function use(open: () => Promise<Place>): Promise<void> {
  place = await open();
  here = place.here;
  ({ messages, processes } = here.beam);
}
afterEach(async () => place.close());

describe.each(ELSEWHERE)("sent $name", ({ name, open }) => {
  let probe: Probe;
  let pid: Pid;
  beforeEach(async () => {
    await use(open);
    probe = new Probe(here);
    pid = await place.subject();
    await place.order(pid, "report", probe.pid);
  });

  test.each([
    ["bundle", 100],
    ["inline", 8 * KIB],
    ["slab", 16 * KIB],
    ["slab", 1 << 20],
  ])("bytes go as a %s: %i of them", async (travel, length) => {
    const bytes = new Uint8Array(length).fill(7);
    const size = messages.analyzeMessageSize(bytes);
    expect(size).toMatchObject({ kind: "bytes", travel });
    const receipt = await messages.sendOptimized(pid, bytes, { strategy: "direct" });
    expect(receipt).toMatchObject({ accepted: true, strategy: "direct" });
    expect(receipt.copies).toBe(size.copies.otherIsolate.sender);
    // Both copies have the message and the receiver's place around it; large bytes of the same node
    // are brought to shared memory as they are, and the place goes apart.
    const isApart = length > 16 * KIB && name === ELSEWHERE[0]?.name;
    const perCopy = isApart ? receipt.copiedBytes : receipt.copiedBytes / receipt.copies;
    expect(perCopy).toBeGreaterThan(length);
    expect(perCopy).toBeLessThanOrEqual(size.encodedBytes);
    expect(size.encodedBytes - perCopy).toBeLessThanOrEqual(isApart ? 18 : 13);
    const got = await probe.next<{ reported: Uint8Array }>(() => true);
    expect(Buffer.compare(got.reported, bytes)).toBe(0);
  });

  test("shared memory is refused with the reason", async () => {
    const sent = messages.sendOptimized(pid, new Uint8Array(8), { strategy: "sharing" });
    await expect(sent).rejects.toMatchObject({
      code: "invalid_options",
      message: expect.stringContaining("in this isolate"),
    });
  });

  test("the order holds while messages wait for room, and all arrive", async () => {
    const bytes = new Uint8Array(2 << 20);
    const receipts: Promise<{ accepted: boolean; copies: number }>[] = [];
    const options = { strategy: "flowControlled" } as const;
    const send = (): void => {
      receipts.push(messages.sendOptimized(pid, [receipts.length, bytes], options));
    };
    // However fast they are taken: until some wait, and some more.
    while (messages.counts().waiting === 0 && receipts.length < MESSAGES_MAX) send();
    for (let more = 0; more < 8; more++) send();
    const last = receipts.length - 1;
    expect(messages.counts().waiting).toBeGreaterThan(0);
    const content = (got: unknown): [number, Uint8Array] => {
      return (got as { reported: [number, Uint8Array] }).reported;
    };
    await probe.next((got) => content(got)[0] === last);
    const arrived = probe.got.map((got) => {
      const [number, { length }] = content(got);
      return [number, length];
    });
    expect(arrived).toEqual(receipts.map((_, number) => [number, bytes.length]));
    for (const { accepted, copies } of await Promise.all(receipts)) {
      expect(accepted).toBe(true);
      expect(copies).toBeGreaterThanOrEqual(2);
    }
    expect(messages.counts().waiting).toBe(0);
  });
});

test("a message above the limit is said to be refused, and is", async () => {
  await use(AT_TWO_NODES.open);
  const pid = await place.subject();
  const bytes = new Uint8Array(here.messageBytesMax);
  const { travel, strategy } = messages.analyzeMessageSize(bytes);
  expect([travel, strategy.elsewhere]).toEqual(["refused", undefined]);
  const sent = messages.sendOptimized(pid, bytes);
  await expect(sent).rejects.toMatchObject({ code: "message_too_large" });
});

test("what waits when the node leaves ends with `node_left`", async () => {
  await use(IN_ONE_ISOLATE.open);
  const pid = processes.spawn(async () => new Promise(() => {}), { mailbox: { messagesMax: 1 } });
  // One is handled without end, one fills the mailbox, two wait.
  const receipts = [1, 2, 3, 4].map((number) => messages.sendWithBackpressure(pid, number));
  await here.leave();
  expect(await receipts[3]?.done).toMatchObject({ outcome: "dropped", reason: "node_left" });
});
