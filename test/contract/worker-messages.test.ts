import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FoundationNode, MessageContext } from "../../dist/ts/index.js";
import { known, settled, startPair, WorkerUnderTest } from "./worker-under-test.ts";

// The window may not grow here: then what a worker holds unfinished has an exact bound.
const OPTIONS = { ringBytes: 64 << 10, windowBytes: 64 << 10, windowBytesMax: 64 << 10 };

let home: FoundationNode;
let peer: FoundationNode;
let left: WorkerUnderTest;
let right: WorkerUnderTest;

beforeEach(async () => {
  [home, peer] = await startPair(OPTIONS);
  left = await WorkerUnderTest.start(home, "left");
  right = await WorkerUnderTest.start(home, "right");
});

afterEach(async () => {
  await Promise.all([left.terminate(), right.terminate()]);
  await Promise.all([home.leave({ drainMs: 100 }), peer.leave({ drainMs: 100 })]);
});

const at = (name: string): { node: string; name: string } => ({ node: "home", name });

/** Calls that every pair of isolates has to be able to make; the caller is told by name. */
const CALLERS: [string, (to: object, message: unknown) => Promise<unknown>][] = [
  ["the main isolate", async (to, message) => home.call(to as ReturnType<typeof at>, message)],
  ["another node", async (to, message) => peer.call(to as ReturnType<typeof at>, message)],
  ["another worker", async (to, message) => right.tell("call", { to, message })],
];

describe.each(CALLERS)("a call of %s to a worker", (_caller, call) => {
  test("is answered with what its handler returns, small or larger than a ring", async () => {
    const value = { text: "text", list: [1, { deep: null }] };
    expect(await call(at("left.echo"), value)).toEqual(value);
    const large = new Uint8Array(300_000).fill(3);
    expect(await call(at("left.size"), large)).toEqual({ length: 300_000, isShared: false });
    const made = (await call(at("left.make"), 200_000)) as Uint8Array;
    expect(made).toHaveLength(200_000);
    expect(made.every((byte) => byte === 7)).toBe(true);
  });

  test("fails with the message of a handler that throws", async () => {
    const failure = call(at("left.fail"), 1);
    await expect(failure).rejects.toThrow("refused by the worker");
  });
});

test("a call of a worker reaches the main isolate and other nodes", async () => {
  home.handle("main", (message) => ["main", message]);
  peer.handle("main", (message) => ["peer", message]);
  const probe = { to: at("main"), message: 0 };
  while ((await left.tell("codeOfCall", probe)) === "noproc"); // the news is under way
  expect(await left.tell("call", { to: at("main"), message: 1 })).toEqual(["main", 1]);
  const to = { node: "peer", name: "main" };
  expect(await left.tell("call", { to, message: 2 })).toEqual(["peer", 2]);
});

test("a handler is told who sent, on which channel and whether an answer is awaited", async () => {
  const context: MessageContext = {
    from: "home",
    channel: "default",
    name: "left.context",
    isCall: true,
  };
  expect(await home.call(at("left.context"), 1)).toEqual(context);
  expect(await right.tell("call", { to: at("left.context"), message: 1 })).toEqual(context);
  expect(await peer.call(at("left.context"), 1)).toEqual({ ...context, from: "peer" });
});

test("100,000 messages of a worker to another arrive in order through full rings", async () => {
  const count = 100_000;
  await right.tell("count", { to: at("left.collect"), from: 0, end: count });
  await right.tell("call", { to: at("left.echo"), message: "last" });
  const heard = await left.tell<number[]>("heard");
  expect(heard).toHaveLength(count);
  expect(heard.findIndex((number, index) => number !== index)).toBe(-1);
});

test("a worker that is blocked stops its senders, and they go on when it does", async () => {
  const flag = new SharedArrayBuffer(4);
  expect(await left.tell("block", { flag })).toBe("blocked");
  const message = new Uint8Array(1_000);
  let accepted = 0;
  while (home.send(at("left.collect"), message)) accepted++;
  expect(accepted).toBeGreaterThan(8);
  expect(accepted).toBeLessThan(200); // no more than a ring and a window
  const drained = home.drained({ to: "home", timeoutMs: 20_000 });
  Atomics.store(new Int32Array(flag), 0, 1);
  Atomics.notify(new Int32Array(flag), 0);
  await drained;
  expect(home.send(at("left.collect"), message)).toBe(true);
  await home.call(at("left.echo"), "last");
  expect(await left.tell("heard")).toHaveLength(accepted + 1);
});

describe.each([
  ["the main isolate", () => home],
  ["another node", () => peer],
])("messages of %s whose handlers do not settle", (_sender, sender) => {
  test("stop the sender when their credit is used up, and let it go on when they do", async () => {
    const node = sender();
    const message = new Uint8Array(1_000);
    let accepted = 0;
    // Queues take some more after the credit is gone, so a refusal alone does not end this loop.
    while (accepted < 20_000 && node.send(at("left.hold"), message)) accepted++;
    expect(accepted).toBeLessThan(20_000);
    await home.call(at("right.echo"), 1);
    const windowMessages = Math.ceil(OPTIONS.windowBytes / 1_000);
    const held = await left.tell<number>("held");
    // Over a link a name has a window of its own until its isolate is told, then the isolate's.
    expect(held).toBeLessThanOrEqual(2 * windowMessages);
    let finished = await left.tell<number>("settle");
    while (finished < accepted) finished += await left.tell<number>("settle");
    expect(finished).toBe(accepted);
    await node.drained({ to: "home", timeoutMs: 20_000 });
    expect(node.send(at("left.hold"), message)).toBe(true);
  });
});

describe("a call under way to a worker that ends", () => {
  test.each([
    ["the main isolate", () => home],
    ["another node", () => peer],
  ])("is rejected with noproc: %s", async (_caller, caller) => {
    const node = caller();
    const answer = node.call(at("left.hold"), 1, { timeoutMs: 5_000 });
    const ended = answer.then(
      () => "answered",
      ({ code }: { code: string }) => code,
    );
    while ((await left.tell<number>("held")) === 0);
    await left.terminate();
    expect(await ended).toBe("noproc");
    const after = node.call(at("left.echo"), 1).catch(({ code }: { code: string }) => code);
    expect(await after).toBe("noproc");
  });

  test("is rejected with noproc: another worker", async () => {
    const code = right.tell("codeOfCall", { to: at("left.hold"), message: 1 });
    while ((await left.tell<number>("held")) === 0);
    await left.terminate();
    expect(await code).toBe("noproc");
  });
});

describe("a name", () => {
  test("has one handler in a node, whichever isolate has it", async () => {
    const stop = home.handle("shared", (message) => message);
    expect(await left.tell("handle", "shared")).toBe("name_taken");
    expect(() => home.handle("shared", () => {})).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    expect(() => home.handle("left.echo", () => {})).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    stop();
    expect(await left.tell("handle", "shared")).toBe("handled");
    expect(await right.tell("handle", "shared")).toBe("name_taken");
    // Names are a node's own: the other node may have the same one.
    peer.handle("shared", () => {})();
  });

  test("moves to another isolate, and messages follow it", async () => {
    expect(await left.tell("handle", "moving")).toBe("handled");
    await known(home, "moving");
    await left.tell("stop");
    home.handle("moving", () => "main");
    expect(await peer.call(at("moving"), 1)).toBe("main");
    expect(await home.call(at("moving"), 1)).toBe("main");
  });

  test("is free again when its worker has ended or let go", async () => {
    await left.terminate();
    expect(await settled(() => home.metrics().isolates, 2)).toBe(2);
    expect(home.handle("left.echo", () => {})).toBeTypeOf("function");
    await right.tell("detach");
    expect(await settled(() => home.metrics().isolates, 1)).toBe(1);
    expect(home.handle("right.echo", () => {})).toBeTypeOf("function");
  });
});

test("what a worker sent before it lets go arrives, whoever it was for", async () => {
  const heard = new Map<string, number[]>();
  const take = (message: Uint8Array, { name }: MessageContext): void => {
    const numbers = heard.get(name) ?? [];
    heard.set(name, numbers);
    numbers.push((message[0] as number) | ((message[1] as number) << 8));
  };
  home.handle("here", take);
  peer.handle("there", take);
  while ((await right.tell("codeOfCall", { to: at("here"), message: [] })) === "noproc");
  const names = [at("here"), at("left.collect"), { node: "peer", name: "there" }];
  heard.clear();
  await right.tell("sendAndDetach", { names, count: 500 });
  const expected = Array.from({ length: 500 }, (_, number) => number);
  await settled(
    () => heard.get("here")?.length === 500 && heard.get("there")?.length === 500,
    true,
  );
  expect(heard.get("here")).toEqual(expected);
  expect(heard.get("there")).toEqual(expected);
  const collected = (await left.tell("heard")) as Uint8Array[];
  expect(collected.map(([low = 0, high = 0]) => low | (high << 8))).toEqual(expected);
});

describe("a message to the own isolate", () => {
  test("is the very object, and a clone where the sender asks for one", async () => {
    const sent = { list: [1] };
    const heard: unknown[] = [];
    home.handle("own", (message) => {
      heard.push(message);
      return message;
    });
    const isAll = once(process, "ownHeard", { signal: AbortSignal.timeout(5_000) });
    home.handle("last", () => process.emit("ownHeard" as never));
    home.send(at("own"), sent);
    home.send(at("own"), sent, { copy: true });
    expect(heard).toEqual([]); // it runs after the present code
    home.send(at("last"), 1);
    await isAll;
    expect(heard[0]).toBe(sent);
    expect(heard[1]).toEqual(sent);
    expect(heard[1]).not.toBe(sent);
    expect(await home.call(at("own"), sent)).toBe(sent);
  });

  test("to nobody is counted, and a call to nobody is rejected", async () => {
    const before = home.metrics().isolate.noHandler;
    expect(home.send(at("nobody"), 1)).toBe(true);
    await expect(home.call(at("nobody"), 1)).rejects.toMatchObject({ code: "noproc" });
    expect(home.metrics().isolate.noHandler).toBe(before + 2);
  });
});
