import { assertType, describe, expectTypeOf, test } from "vitest";
import {
  type Address,
  type Attempt,
  attempt,
  type BroadcastReceipt,
  type CallOptions,
  type CapturedEvent,
  type ChannelOptions,
  Config,
  capabilities,
  type DownEvent,
  type ErrorCode,
  FlatTable,
  FOUNDATION_DEFAULTS,
  Foundation,
  type FoundationError,
  type FoundationNode,
  type FoundationOptions,
  type Member,
  type MessageContext,
  type NodeEvents,
  type NodeMetrics,
  release,
  toOwned,
  type Unsubscribe,
} from "../../dist/ts/index.js";

/** The calls below are checked by the compiler and never run. */
declare const node: FoundationNode;
const to: Address = { node: "n", name: "a" };

describe("Foundation", () => {
  test("gives nodes", () => {
    expectTypeOf(Foundation.start).returns.resolves.toEqualTypeOf<FoundationNode>();
    expectTypeOf(Foundation.attach).returns.resolves.toEqualTypeOf<FoundationNode>();
    expectTypeOf(Foundation.start).toBeCallableWith();
    expectTypeOf(Foundation.attach).toBeCallableWith({ name: "n", timeoutMs: 1 });
  });

  test("refuses options that do not exist or have another type", () => {
    assertType<FoundationOptions>({ name: "n", seeds: ["127.0.0.1:1"], channels: { bulk: {} } });
    // @ts-expect-error: an unknown option
    assertType<FoundationOptions>({ nam: "n" });
    // @ts-expect-error: a number of bytes, not a text
    assertType<FoundationOptions>({ ringBytes: "64k" });
    // @ts-expect-error: a list of addresses
    assertType<FoundationOptions>({ seeds: "127.0.0.1:1" });
    // @ts-expect-error: two versions
    assertType<FoundationOptions>({ protocolVersions: [1] });
  });

  test("refuses channel options that do not exist or have another type", () => {
    assertType<ChannelOptions>({ priority: 0, weight: 1, lanes: 2, monotonic: true });
    // @ts-expect-error: a rank, not a word
    assertType<FoundationOptions>({ channels: { bulk: { priority: "high" } } });
    // @ts-expect-error: misspelt
    assertType<FoundationOptions>({ channels: { bulk: { prioriy: 1 } } });
    // @ts-expect-error: a boolean
    assertType<ChannelOptions>({ monotonic: "yes" });
  });

  test("takes options and keeps defaults that nobody changes", () => {
    const options: FoundationOptions = { name: "n" };
    // @ts-expect-error: options are read only
    options.name = "m";
    // @ts-expect-error: so are the defaults
    FOUNDATION_DEFAULTS.ringBytes = 1;
    // @ts-expect-error: and the names of seeds
    FOUNDATION_DEFAULTS.seeds.push("127.0.0.1:1");
  });
});

describe("messages", () => {
  test("are sent with an answer whether they were taken", () => {
    expectTypeOf(node.send(to, { any: "value" })).toEqualTypeOf<boolean>();
    expectTypeOf(node.send).toBeCallableWith(to, undefined, { channel: "bulk", key: "k" });
    // @ts-expect-error: an address has a node and a name
    node.send({ node: "n" }, 1);
    // @ts-expect-error: a channel is named
    node.send(to, 1, { channel: 3 });
    // @ts-expect-error: only calls have a time
    node.send(to, 1, { timeoutMs: 3 });
  });

  test("of unknown origin are unknown, until their reader says what it expects", () => {
    expectTypeOf(node.call(to, 1)).resolves.toBeUnknown();
    assertType<CallOptions>({ timeoutMs: 1, signal: AbortSignal.abort(), replyBytesMax: 1 });
    node.handle("a", (message, context) => {
      expectTypeOf(message).toBeUnknown();
      expectTypeOf(context).toEqualTypeOf<MessageContext>();
    });
    node.handle<{ id: number }>("a", ({ id }) => id + 1);
    node.handle("a", (message: Uint8Array) => message.length, { bytes: "view" });
    // @ts-expect-error: a number has no id
    node.handle<number>("a", ({ id }) => id);
    // @ts-expect-error: only these two ways to take bytes
    node.handle("a", () => {}, { bytes: "borrow" });
  });

  test("are handled until the function that handle gave is called", () => {
    expectTypeOf(node.handle("a", async () => 1)).toEqualTypeOf<Unsubscribe>();
    expectTypeOf<Unsubscribe>().returns.toBeVoid();
  });

  test("to all are receipted by name, and the receipt is read only", () => {
    const receipt = node.broadcast("a", 1);
    expectTypeOf(receipt).toEqualTypeOf<BroadcastReceipt>();
    // @ts-expect-error: a receipt is read only
    receipt.accepted.push("n");
  });

  test("that were refused may be sent again when drained resolves", () => {
    expectTypeOf(node.drained({ to: "n", timeoutMs: 1 })).resolves.toBeVoid();
    // @ts-expect-error: drained by whom?
    void node.drained({ timeoutMs: 1 });
  });
});

describe("events", () => {
  test("carry what their name says", () => {
    node.on("up", (member) => expectTypeOf(member).toEqualTypeOf<Member>());
    node.on("down", (event) => expectTypeOf(event).toEqualTypeOf<DownEvent>());
    node.on("left", (event) => expectTypeOf(event.drained).toBeBoolean());
    node.on("refused", (event) => expectTypeOf(event).toEqualTypeOf<NodeEvents["refused"]>());
    // @ts-expect-error: no such event
    node.on("upp", () => {});
    // @ts-expect-error: down carries no address
    node.on("down", ({ address }) => address);
  });

  test("of a member tell its state by a closed set of words", () => {
    expectTypeOf<Member["state"]>().toEqualTypeOf<"up" | "busy" | "leaving">();
    expectTypeOf(node.members()).toEqualTypeOf<readonly Member[]>();
    // @ts-expect-error: the members are read only
    node.members().pop();
  });
});

describe("a node", () => {
  test("becomes ready with as many members as it is told", () => {
    expectTypeOf(node.awaitReady).toBeCallableWith({ minimumMembers: 3, timeoutMs: 1 });
    const channels = ["default"] as const;
    expectTypeOf(node.awaitReady).toBeCallableWith({ joinedExisting: true, channels });
    // @ts-expect-error: ready for what?
    void node.awaitReady();
    expectTypeOf(node.join).toBeCallableWith(["127.0.0.1:1"], { timeoutMs: 1 });
    expectTypeOf(node.join("127.0.0.1:1")).resolves.toBeString();
    expectTypeOf(node.leave()).resolves.toBeVoid();
  });

  test("keeps its name, and its metrics are read only", () => {
    // @ts-expect-error: the name is given once
    node.name = "m";
    const metrics: NodeMetrics = node.metrics();
    expectTypeOf(metrics.isolate.copies).toBeNumber();
    expectTypeOf(metrics.channels["bulk"]?.messagesSent).toEqualTypeOf<number | undefined>();
    // @ts-expect-error: metrics are read only
    metrics.isolate.copies = 0;
  });
});

describe("the configuration", () => {
  test("is typed by the path, in both spellings and both styles", () => {
    expectTypeOf(node.config.get(["ai", "planning", "sampling_rate"])).toBeNumber();
    expectTypeOf(node.config.get(["ai", "planning", "samplingRate"])).toBeNumber();
    expectTypeOf(Config.get(["ai", "planning", "sampling_rate"])).toBeNumber();
    expectTypeOf(Config.get(["dev", "debugMode"])).toBeBoolean();
    expectTypeOf(Config.get(["ai", "api_key"])).toEqualTypeOf<string | null>();
    expectTypeOf(Config.get(["shop", "discount"])).toBeUnknown();
    expectTypeOf(Config.getWithDefault(["interface", "max_results"], "none")).toEqualTypeOf<
      number | string
    >();
    expectTypeOf<typeof Config>().toEqualTypeOf<Config>();
    expectTypeOf<typeof Config>().toEqualTypeOf<FoundationNode["config"]>();
  });
});

describe("the capture", () => {
  test("tells whether an event was taken, at once or later", () => {
    expectTypeOf(node.capture.record("type", { any: "data" })).toBeBoolean();
    const waiting = node.capture.recordOrWait("type", 1, { timeoutMs: 5 });
    expectTypeOf(waiting).toEqualTypeOf<Promise<boolean>>();
    // @ts-expect-error: only who awaits room may say for how long
    node.capture.record("type", 1, { timeoutMs: 5 });
  });

  test("hands out batches of events", () => {
    const stop = node.capture.subscribe((batch) => {
      expectTypeOf(batch).toEqualTypeOf<readonly CapturedEvent[]>();
    });
    expectTypeOf(stop).toEqualTypeOf<Unsubscribe>();
  });
});

describe("values and errors", () => {
  test("bytes are released and owned as bytes", () => {
    expectTypeOf(release).parameters.toEqualTypeOf<[Uint8Array]>();
    expectTypeOf(toOwned(new Uint8Array(1))).toExtend<Uint8Array>();
    expectTypeOf(new FlatTable(new Uint8Array(1)).read((buffer) => buffer.capacity())).toBeNumber();
    expectTypeOf(capabilities().sharedAllocation).toBeBoolean();
  });

  test("codes are a closed set", () => {
    expectTypeOf<FoundationError["code"]>().toEqualTypeOf<ErrorCode>();
    assertType<ErrorCode>("noproc");
    // @ts-expect-error: no such code
    assertType<ErrorCode>("no_proc");
  });

  test("an attempt is a value or an error, told apart by `ok`", () => {
    expectTypeOf(attempt(() => 1)).toEqualTypeOf<Attempt<number>>();
    expectTypeOf(attempt(async () => 1)).toEqualTypeOf<Promise<Attempt<number>>>();
    const tried = attempt(() => "text");
    if (tried.ok) expectTypeOf(tried.value).toBeString();
    else expectTypeOf(tried.error).toBeUnknown();
  });
});
