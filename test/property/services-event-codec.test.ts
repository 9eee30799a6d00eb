import fc from "fast-check";
import { expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { Pid } from "../../ts/base/pid.ts";
import { decodeEvent, encodeEvent, serializeEvent } from "../../ts/services/events/event-codec.ts";
import type { FoundationEvent } from "../../ts/services/events/event-types.ts";

/** Data that can be kept, `__proto__` keys left out: they arrive under another name. */
const data = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  key: fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
  values: [
    fc.constant(null),
    fc.constant(undefined),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  ],
});

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: "grapheme", maxLength: 50 });
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value);
const place = fc.nat(60_000);

const event: fc.Arbitrary<FoundationEvent> = fc.record({
  eventType: fc.string({ unit: "grapheme", minLength: 1, maxLength: 50 }),
  eventId: id,
  timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
  wallTime: orNull(fc.double({ noNaN: true, noDefaultInfinity: true })),
  hlc: orNull(fc.record({ ms: fc.nat(2 ** 31 - 1), counter: fc.nat(0xffff) })),
  node: orNull(text),
  pid: orNull(
    fc
      .tuple(text, text, place, place, fc.maxSafeNat())
      .map(([node, life, slot, generation, serial]) => {
        return new Pid({ node, life, slot, generation }, serial);
      }),
  ),
  correlationId: orNull(text),
  parentId: orNull(id),
  data,
});

/** True: an event came out. False: the one documented refusal did. */
function decodes(bytes: Uint8Array): boolean {
  try {
    decodeEvent(bytes);
    return true;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(FoundationError);
    expect((thrown as FoundationError).code).toBe("deserialization_failed");
    return false;
  }
}

test("any event comes back from its bytes as it was [F104]", () => {
  fc.assert(
    fc.property(event, fc.boolean(), (made, compression) => {
      expect(decodeEvent(serializeEvent(made, { compression }))).toEqual(made);
      expect(decodeEvent(encodeEvent(made))).toEqual(made);
    }),
  );
});

test("any bytes are an event or are refused, and prototypes stay as they are", () => {
  const names = Object.getOwnPropertyNames(Object.prototype);
  const head = fc.constantFrom([], [0x46, 0x45, 1, 0], [0x46, 0x45, 1, 1], [0x46, 0x45, 1, 2]);
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 400 }), (first, rest) => {
      decodes(Uint8Array.from([...first, ...rest]));
    }),
    { numRuns: 2_000 },
  );
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
});

test("a serialised event with any byte changed or any end cut off is refused", () => {
  fc.assert(
    fc.property(event, fc.nat(), fc.integer({ min: 1, max: 255 }), (made, where, change) => {
      const bytes = serializeEvent(made);
      expect(decodes(bytes.subarray(0, where % bytes.length))).toBe(false);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] as number) ^ change;
      expect(decodes(bytes)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test("a deflated event whose mark of a check sum is gone is refused", () => {
  const plain = { eventType: "made", eventId: 1, timestamp: 0, wallTime: null, hlc: null };
  const nobody = { node: null, pid: null, correlationId: null, parentId: null };
  const bytes = serializeEvent({ ...plain, ...nobody, data: "a".repeat(1_000) });
  expect(bytes[3]).toBe(3);
  bytes[3] = 1;
  expect(decodes(bytes)).toBe(false);
});

test("bytes without a check sum that were changed are an event or are refused", () => {
  fc.assert(
    fc.property(event, fc.nat(), fc.integer({ min: 1, max: 255 }), (made, where, change) => {
      const bytes = encodeEvent(made);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] as number) ^ change;
      decodes(bytes);
    }),
    { numRuns: 1_000 },
  );
});
