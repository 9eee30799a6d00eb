import { Foundation, type FoundationNode } from "foundation-runtime";
import { afterAll, beforeAll, expect, test } from "vitest";

let node: FoundationNode;
beforeAll(async () => {
  node = await Foundation.start({ name: "checks" });
});
afterAll(async () => {
  await node.leave({ drainMs: 0 });
});

const wrong = (value: unknown): never => value as never;

test.each<readonly [string, string, () => unknown]>([
  ["minimumMembers", "a whole number", () => node.awaitReady({ minimumMembers: wrong("2") })],
  ["channels", "a list of names", () => node.awaitReady({ channels: wrong("default") })],
  ["joinedExisting", "true or false", () => node.awaitReady({ joinedExisting: wrong("no") })],
  ["timeoutMs", "a time in ms", () => node.awaitReady({ timeoutMs: Number.NaN })],
  ["an option nobody knows", "did you mean", () => node.awaitReady(wrong({ minimumMember: 2 }))],
  ["addresses to join", "not an IP address", () => node.join(wrong([7000]))],
  ["a time to join", "a time in ms", () => node.join("127.0.0.1:1", { timeoutMs: -1 })],
  ["addresses to forget", "a list of addresses", () => node.forget(wrong("127.0.0.1:1"))],
  ["hangUp", "true or false", () => node.forget(["127.0.0.1:1"], { hangUp: wrong("no") })],
  ["a receiver", "text", () => node.send(wrong({ node: "checks" }), 1)],
  ["a handler", "a function", () => node.handle("x", wrong("y"))],
  ["the name of a handler", "text", () => node.handle(wrong(5), () => {})],
  ["a subscriber", "a function", () => node.subscribe("x", wrong(undefined))],
  ["a listener", "a function", () => node.on("up", wrong(5))],
  ["drainMs", "a number of milliseconds", () => node.leave({ drainMs: -1 })],
  ["an option of leave", "did you mean", () => node.leave(wrong({ drain: 5 }))],
])("%s: what is wrong is refused, and the node goes on", async (_what, words, act) => {
  const done = (async (): Promise<unknown> => act())();
  await expect(done).rejects.toMatchObject({
    code: "invalid_options",
    message: expect.stringContaining(words) as string,
  });
  expect(node.members().map(({ name }) => name)).toEqual(["checks"]);
});
