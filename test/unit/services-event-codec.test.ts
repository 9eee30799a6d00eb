import { describe, expect, test } from "vitest";
import {
  dataBytes,
  decodeEvent,
  encodeEvent,
  serializeEvent,
} from "../../ts/services/events/event-codec.ts";
import { EVENT_DATA_BYTES_MAX, EVENT_TEXT_MAX } from "../../ts/services/events/event-types.ts";
import { checkEventFields, validateEventType } from "../../ts/services/events/event-validator.ts";
import { eventOf } from "./services-event-scene.ts";
import { codeOf } from "./thrown-code.ts";

const SELF: unknown[] = [];
SELF.push(SELF);

describe("serialize and deserialize", () => {
  test("give back the same event, field by field [F214 F408 F410]", () => {
    const event = eventOf();
    expect(decodeEvent(serializeEvent(event))).toEqual(event);
    expect(decodeEvent(encodeEvent(event))).toEqual(event);
  });

  test("keep what is nested, dates, maps, sets and large integers [F216]", () => {
    const data = {
      list: [1, [2, { deep: [null, undefined, true] }]],
      at: new Date(1_700_000_000_000),
      map: new Map<unknown, unknown>([
        ["a", 1n],
        [{ key: 1 }, new Set(["x"])],
      ]),
      big: 2n ** 120n,
      numbers: [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300, -(2 ** 53)],
    };
    expect((decodeEvent(serializeEvent(eventOf({ data }))) as { data: unknown }).data).toEqual(
      data,
    );
  });

  test("keep text of any script, and lone halves of a pair do no harm [F221]", () => {
    const data = { text: 'Grüße, мир, 世界, 👩‍👩‍👧, \u0000\n"\\', ключ: "значение" };
    expect(decodeEvent(serializeEvent(eventOf({ data }))).data).toEqual(data);
    expect(decodeEvent(serializeEvent(eventOf({ data: "\ud800" }))).data).toBe("\ufffd");
  });

  test("keep bytes as bytes [F222]", () => {
    const data = { raw: Uint8Array.from({ length: 256 }, (_, index) => index) };
    expect(decodeEvent(serializeEvent(eventOf({ data }))).data).toEqual(data);
  });

  test("make what repeats itself smaller, unless told not to", () => {
    const event = eventOf({ data: "abc".repeat(10_000) });
    const [small, large] = [true, false].map((compression) => {
      return serializeEvent(event, { compression });
    }) as [Uint8Array, Uint8Array];
    expect(small.length).toBeLessThan(large.length / 10);
    expect(decodeEvent(small)).toEqual(decodeEvent(large));
  });

  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["what contains itself", SELF],
  ])("refuse to write %s [F217 F409]", (_name, data) => {
    const write = (): unknown => serializeEvent(eventOf({ data }));
    expect(codeOf(write)).toEqual(["serialization_failed", 3101]);
  });

  test("refuse an event that is none", () => {
    expect(codeOf(() => serializeEvent(null as never))).toEqual(["serialization_failed", 3101]);
    expect(codeOf(() => serializeEvent(eventOf({ eventId: 0 })))).toEqual([
      "serialization_failed",
      3101,
    ]);
  });

  test("a key that would reach a prototype reaches none", () => {
    const data: unknown = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');
    const back = decodeEvent(serializeEvent(eventOf({ data }))).data as Record<string, unknown>;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(back["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("bytes that are no event", () => {
  const whole = serializeEvent(eventOf());

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["text", Buffer.from("no event at all, but long enough")],
    ["half an event", whole.subarray(0, whole.length >> 1)],
    ["an event and more", Buffer.concat([whole, Buffer.of(0)])],
    ["one of a later version", Buffer.from(whole).fill(2, 2, 3)],
    ["one with a flag that is not known", Buffer.from(whole).fill(0x80, 3, 4)],
    ["one with another byte in the middle", Buffer.from(whole).fill(0xee, 20, 21)],
  ])("are refused: %s [F411]", (_name, bytes) => {
    expect(codeOf(() => decodeEvent(bytes))).toEqual(["deserialization_failed", 3102]);
  });

  test("are refused where they are no bytes", () => {
    expect(codeOf(() => decodeEvent("FE" as never))).toEqual(["deserialization_failed", 3102]);
  });

  test("are refused where fields are of the wrong kind", () => {
    const bytes = encodeEvent(eventOf({ eventId: 5, data: null }));
    // The id follows the head and one byte: it gets a sign.
    bytes[5] = (bytes[5] as number) | 0x80;
    expect(codeOf(() => decodeEvent(bytes))).toEqual(["deserialization_failed", 3102]);
  });

  test("do not unfold to more than the largest event", () => {
    const data = new Uint8Array(900_000);
    const bytes = serializeEvent(eventOf({ data }));
    expect(bytes.length).toBeLessThan(10_000);
    expect(Buffer.compare(decodeEvent(bytes).data as Uint8Array, data)).toBe(0);
    const larger = new Uint8Array(EVENT_DATA_BYTES_MAX + 1);
    expect(codeOf(() => serializeEvent(eventOf({ data: larger })))).toEqual([
      "serialization_failed",
      3101,
    ]);
  });
});

describe("the validator", () => {
  test("takes an event with what it needs, and what is optional may be missing [F588]", () => {
    expect(() => checkEventFields(eventOf())).not.toThrow();
    expect(() => checkEventFields({ eventId: 1, eventType: "x", timestamp: 0 })).not.toThrow();
  });

  test.each(["eventId", "eventType", "timestamp"])("misses %s [F589]", (field) => {
    for (const nothing of [null, undefined]) {
      expect(codeOf(() => checkEventFields({ ...eventOf(), [field]: nothing }))).toEqual([
        "validation_failed",
        2001,
      ]);
    }
  });

  test.each<[string, unknown]>([
    ["eventId", 0],
    ["eventId", 1.5],
    ["eventId", "1"],
    ["eventType", ""],
    ["eventType", 5],
    ["eventType", "x".repeat(EVENT_TEXT_MAX + 1)],
    ["timestamp", "now"],
    ["timestamp", Number.NaN],
    ["wallTime", new Date()],
    ["hlc", 5],
    ["node", 5],
    ["pid", "<pid>"],
    ["correlationId", 5],
    ["parentId", -1],
  ])("refuses a wrong %s: %j [F590]", (field, value) => {
    expect(codeOf(() => checkEventFields({ ...eventOf(), [field]: value }))).toEqual([
      "type_mismatch",
      2002,
    ]);
  });

  test("looks for what is missing before it looks at kinds", () => {
    expect(codeOf(() => checkEventFields({ ...eventOf(), eventId: 0, timestamp: null }))).toEqual([
      "validation_failed",
      2001,
    ]);
    expect(codeOf(() => checkEventFields("event"))).toEqual(["type_mismatch", 2002]);
  });

  test("refuses data above a million bytes, and takes data of just as many [F591]", () => {
    const text = "x".repeat(EVENT_DATA_BYTES_MAX - 5);
    expect(dataBytes(text)).toBe(EVENT_DATA_BYTES_MAX);
    expect(decodeEvent(encodeEvent(eventOf({ data: text }))).data).toBe(text);
    const write = (): unknown => encodeEvent(eventOf({ data: `${text}x` }));
    expect(codeOf(write)).toEqual(["data_too_large", 2003]);
  });

  test("knows types that are allowed [F592]", () => {
    for (const type of ["function_entry", "state_change", "config_updated", "test_event"]) {
      expect(() => validateEventType(type)).not.toThrow();
    }
  });

  test("does not know others [F593]", () => {
    expect(codeOf(() => validateEventType("invented"))).toEqual(["invalid_event_type", 2004]);
    expect(codeOf(() => validateEventType("__proto__"))).toEqual(["invalid_event_type", 2004]);
  });

  test("takes only texts for types [F594]", () => {
    for (const type of [5, null, undefined, Symbol("test"), ["test"]]) {
      expect(codeOf(() => validateEventType(type))).toEqual(["type_mismatch", 2002]);
    }
  });
});
