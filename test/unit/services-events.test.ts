import { describe, expect, test } from "vitest";
import { attempt, FoundationError } from "../../ts/base/errors.ts";
import { emptyEvent } from "../../ts/services/events/event-logic.ts";
import { eventOf, eventScene, PID } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const { events, clock } = eventScene();
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("newEvent", () => {
  test("makes an event with what it needs [F204 F403]", () => {
    const event = events.newEvent("test_event", { key: "value" });
    expect(event).toEqual({
      eventType: "test_event",
      eventId: event.eventId,
      timestamp: 1_700_000_000_000,
      wallTime: 1_700_000_000_000,
      hlc: { ms: 1_700_000_000_000, counter: event.hlc?.counter },
      node: "here",
      pid: null,
      correlationId: expect.stringMatching(UUID) as string,
      parentId: null,
      data: { key: "value" },
    });
    expect(Number.isSafeInteger(event.eventId) && event.eventId > 0).toBe(true);
  });

  test("takes what is given instead [F205 F404]", () => {
    const given = {
      eventId: 5,
      timestamp: 12.5,
      wallTime: 13,
      hlc: { ms: 1, counter: 2 },
      node: "there",
      pid: PID,
      correlationId: "operation",
      parentId: 4,
    };
    expect(events.newEvent("test", null, given)).toEqual({
      eventType: "test",
      data: null,
      ...given,
    });
  });

  test("gives out ids that grow and are not given twice [F206]", () => {
    const ids = Array.from({ length: 1_000 }, () => events.newEvent("test", null).eventId);
    expect(new Set(ids).size).toBe(1_000);
    expect([...ids].sort((a, b) => a - b)).toEqual(ids);
  });

  test("gives ids to a hundred at once without giving one twice [F220]", async () => {
    const made = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await Promise.resolve();
        return events.newEvent("test", index);
      }),
    );
    expect(new Set(made.map(({ eventId }) => eventId)).size).toBe(100);
    expect(new Set(made.map(({ correlationId }) => correlationId)).size).toBe(100);
  });

  test("refuses what is missing and what is of the wrong kind [F207 F218 F405]", () => {
    const make = (type: unknown): unknown => events.newEvent(type as string, 1);
    expect(codeOf(() => make(null))).toEqual(["validation_failed", 2001]);
    expect(codeOf(() => make(undefined))).toEqual(["validation_failed", 2001]);
    expect(codeOf(() => make(5))).toEqual(["type_mismatch", 2002]);
    const wrong = { parentId: "1" as never };
    expect(codeOf(() => events.newEvent("test", 1, wrong))).toEqual(["type_mismatch", 2002]);
    for (const field of ["correlationId", "node"]) {
      const half = { [field]: "half a pair \ud800" };
      expect(codeOf(() => events.newEvent("test", 1, half))).toEqual(["type_mismatch", 2002]);
    }
    expect(codeOf(() => make("\udc00"))).toEqual(["type_mismatch", 2002]);
    const large = "x".repeat(1_000_001);
    expect(codeOf(() => events.newEventOrThrow("test", large))).toEqual(["data_too_large", 2003]);
  });

  test.each<[string, unknown]>([
    ["nothing", null],
    ["undefined", undefined],
    ["a text", "text"],
    ["a number", 1.5],
    ["a truth", false],
    ["a list", [1, "two", { three: 3 }]],
    ["bytes", Uint8Array.of(0, 255)],
    ["a map", new Map([["a", 1]])],
    ["a large integer", 2n ** 70n],
  ])("takes %s as data, and gives it back from the store [F219]", (_name, data) => {
    const event = events.newEvent("test", data);
    expect(events.get(events.store(event)).data).toEqual(data);
  });

  test("knows no option that it does not know: it is left out", () => {
    const event = events.newEvent("test", 1, { colour: "red" } as never);
    expect(Object.keys(event)).toEqual(Object.keys(eventOf()));
  });

  test("time goes on for its events, and their hybrid times grow within a millisecond", () => {
    const [first, second] = [events.newEvent("test", 1), events.newEvent("test", 2)];
    clock.advance(10);
    const third = events.newEvent("test", 3);
    expect(third.timestamp - first.timestamp).toBe(10);
    expect(second.hlc).toEqual({ ms: first.hlc?.ms, counter: (first.hlc?.counter ?? 0) + 1 });
    expect(third.hlc).toEqual({ ms: (first.hlc?.ms ?? 0) + 10, counter: 0 });
  });
});

describe("events by their fields", () => {
  test("have defaults for all of them [F561]", () => {
    const event = events.eventWith();
    expect(event).toMatchObject({ eventType: "default", data: null, correlationId: null });
    expect(events.store(event)).toBe(event.eventId);
  });

  test("may say nothing at all, and are not valid then [F562]", () => {
    const empty = emptyEvent();
    expect(Object.values(empty).every((value) => value === null)).toBe(true);
    expect(Object.keys(empty).sort()).toEqual(Object.keys(eventOf()).sort());
    expect(codeOf(() => events.store(empty as never))).toEqual(["validation_failed", 2001]);
  });

  test("have those that are given [F563]", () => {
    const event = events.eventWith({ eventId: 9, eventType: "custom_event", data: [1] });
    expect(event).toMatchObject({ eventId: 9, eventType: "custom_event", data: [1], node: "here" });
  });
});

describe("functionEntry and functionExit", () => {
  test("tell of a call [F208 F406]", () => {
    const event = events.functionEntry("Shop", "buy", 2, ["apple", 3]);
    expect(event.eventType).toBe("function_entry");
    expect(event.data).toEqual({
      callId: event.data.callId,
      module: "Shop",
      function: "buy",
      arity: 2,
      args: ["apple", 3],
      callerModule: null,
      callerFunction: null,
      callerLine: null,
    });
    expect(events.functionEntry("Shop", "buy", 0, []).data.callId).not.toBe(event.data.callId);
  });

  test("tell who called [F209]", () => {
    const caller = { callerModule: "Till", callerFunction: "scan", callerLine: 42, parentId: 3 };
    const event = events.functionEntry("Shop", "buy", 0, [], caller);
    const { parentId, ...rest } = caller;
    expect(event.data).toMatchObject(rest);
    expect(event.parentId).toBe(parentId);
  });

  test("tell of its end [F210 F407]", () => {
    const event = events.functionExit("Shop", "buy", 2, 77, "done", 1_500, "normal");
    expect(event.eventType).toBe("function_exit");
    expect(event.data).toEqual({
      callId: 77,
      module: "Shop",
      function: "buy",
      arity: 2,
      result: "done",
      durationNs: 1_500,
      exitReason: "normal",
    });
  });

  test("cut large arguments [F211]", () => {
    const { args } = events.functionEntry("Shop", "buy", 1, ["x".repeat(20_000)]).data;
    expect(args).toMatchObject({ truncated: true });
    expect((args as { originalSize: number }).originalSize).toBeGreaterThan(20_000);
  });

  test("say in words what bytes cannot say", () => {
    const self: unknown[] = [];
    self.push(self, function pay() {}, Symbol("s"), PID);
    const event = events.functionEntry("Shop", "buy", 1, self);
    expect(event.data.args).toEqual([
      "[circular]",
      "[function pay]",
      "[Symbol(s)]",
      PID.toString(),
    ]);
    expect(events.deserialize(events.serialize(event))).toEqual(event);
  });
});

describe("stateChange", () => {
  test("tells of a change, and what led to it [F212]", () => {
    const options = { triggerMessage: { kind: "add" }, triggerCallId: 8 };
    const event = events.stateChange(PID, "handleCall", { n: 1 }, { n: 2 }, options);
    expect(event.eventType).toBe("state_change");
    expect(event.data).toEqual({
      serverPid: PID,
      callback: "handleCall",
      oldState: { n: 1 },
      newState: { n: 2 },
      stateDiff: "changed",
      ...options,
    });
  });

  test("sees that nothing changed [F213]", () => {
    const states = [
      { list: [1, { a: 2 }], at: new Date(5) },
      { list: [1, { a: 2 }], at: new Date(5) },
    ] as const;
    expect(events.stateChange(null, "f", ...states).data.stateDiff).toBe("no_change");
    const other = { list: [1, { a: 3 }], at: new Date(5) };
    expect(events.stateChange(null, "f", states[0], other).data.stateDiff).toBe("changed");
  });
});

describe("bytes", () => {
  test("their number is what serializedSize says [F215]", () => {
    for (const data of [null, "x".repeat(5_000), { a: [1, 2, 3] }]) {
      const event = events.newEvent("test", data);
      expect(events.serializedSize(event)).toBe(events.serialize(event).length);
      const whole = { compression: false };
      expect(events.serializedSize(event, whole)).toBe(events.serialize(event, whole).length);
    }
  });
});

describe("what is not to be trusted", () => {
  test.each([
    "'; DROP TABLE events; --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "\u0000\u202e",
  ])("is data like any other, and comes back as it was: %j [F130]", (text) => {
    const event = events.newEvent("test", { [text]: text }, { correlationId: text });
    const back = events.get(events.store(event));
    expect(back).toEqual(event);
    expect(events.getByCorrelation(text)).toContainEqual(event);
    expect(Object.getPrototypeOf(back.data)).toBe(Object.prototype);
  });

  test("correlation ids are random, of one form, and a hundred differ [F131]", () => {
    const ids = Array.from({ length: 100 }, () => events.newEvent("test", 1).correlationId ?? "");
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(UUID);
    // Any digit that is not fixed by the form takes all of its values.
    const digits = new Set(ids.map((id) => id[0]));
    expect(digits.size).toBeGreaterThan(8);
  });

  test("an id of nobody is looked for as one of somebody, and finds nothing [F132]", () => {
    const real = events.newEvent("test", 1);
    events.store(real);
    const id = real.correlationId ?? "";
    const near = `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
    for (const guess of [near, "", "no such id", "x".repeat(900)]) {
      expect(events.getByCorrelation(guess)).toEqual([]);
    }
    expect(events.getByCorrelation(id)).toHaveLength(1);
  });

  test("what was stored is nobody's to change but by storing it again [F143]", () => {
    const data = { balance: 1, list: [1] };
    const event = events.newEvent("test", data);
    events.store(event);
    data.balance = 1_000;
    data.list.push(2);
    const read = events.get(event.eventId) as { data: { balance: number } };
    expect(read.data).toEqual({ balance: 1, list: [1] });
    read.data.balance = 2_000;
    expect(events.get(event.eventId).data).toEqual({ balance: 1, list: [1] });
  });
});

describe("what is stored", () => {
  test("may be an attempt at making an event; its failure passes through", () => {
    const made = attempt(() => events.newEvent("test", 1));
    expect(made.ok && events.store(made)).toBe(made.ok && made.value.eventId);
    const failed = attempt(() => events.newEvent(null as never, 1));
    expect(codeOf(() => events.store(failed))).toEqual(["validation_failed", 2001]);
    const other = { ok: false as const, error: new FoundationError("timeout", "late") };
    expect(codeOf(() => events.store(other))?.[0]).toBe("timeout");
  });

  test.each([undefined, null, 5, "event", [eventOf()]])("cannot be %j", (what) => {
    const code = codeOf(() => events.store(what as never))?.[1];
    expect(code).toBe(Array.isArray(what) ? 2001 : 2005);
  });
});
