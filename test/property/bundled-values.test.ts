import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RECORD } from "../../bindings/generated/layout.ts";
import { FoundationError } from "../../ts/base/errors.ts";
import { OpenBundle } from "../../ts/kernel/open-bundle.ts";
import type { MessageHead } from "../../ts/kernel/record-writer.ts";
import type { DescribedShapes } from "../../ts/kernel/value-reader.ts";
import { decodePacked, ENCODING, encodeValue } from "../../ts/kernel/values.ts";

const HEAD: MessageHead = {
  tag: RECORD.MESSAGE | (ENCODING.packed << RECORD.ENCODING_SHIFT),
  peer: 1,
  channel: 0,
  destination: 1,
  slot: 0,
  generation: 0,
  correlation: 0,
  replyBytesMax: 0,
  mayBundle: true,
  route: {},
};

/** Puts values into bundles as a writer does; `cuts` close one early, as a burst's end does. */
function bundle(values: readonly unknown[], cuts: readonly boolean[]): Uint8Array[] {
  const open = new OpenBundle(2 << 10);
  const bodies: Uint8Array[] = [];
  const close = (): void => {
    if (open.size === 0) return;
    const size = open.close();
    bodies.push(open.body.slice(RECORD.HEAD_BYTES, size));
  };
  values.forEach((value, index) => {
    if (cuts[index % cuts.length] === true) close();
    const encoded = encodeValue(value);
    if (!open.takes(HEAD, encoded.length)) {
      close();
      bodies.push(Uint8Array.of(0xff, 0xff, ...encoded.bytes)); // a record of its own
    } else if (!open.extend(HEAD, encoded)) {
      close();
      open.open(HEAD, encoded, Number.POSITIVE_INFINITY);
    }
  });
  close();
  return bodies;
}

function unbundle(bodies: readonly Uint8Array[]): unknown[] {
  const values: unknown[] = [];
  for (const body of bodies) {
    const source = Buffer.from(body);
    if (source.readUInt16LE(0) === 0xffff) {
      values.push(decodePacked(source, 2));
      continue;
    }
    const shapes: DescribedShapes = [];
    for (let at = 0; at < source.length; ) {
      const start = at + RECORD.BUNDLE_LENGTH_BYTES;
      at = start + source.readUInt16LE(at);
      values.push(decodePacked(source, start, at, shapes));
    }
  }
  return values;
}

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom(null, undefined, true, false),
);
const shapes = [["id"], ["id", "name"], ["name", "id"], ["a", "b", "c", "d"], ["id", "name", "x"]];
const common = fc
  .tuple(fc.constantFrom(...shapes), fc.array(leaf, { minLength: 4, maxLength: 4 }))
  .map(([keys, values]) => Object.fromEntries(keys.map((key, index) => [key, values[index]])));
const key = fc.string({ maxLength: 8 }).filter((text) => text !== "__proto__");
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, tie("record"), tie("list"), tie("odd")),
  record: fc.oneof(
    common,
    fc.tuple(common, tie("any")).map(([record, inner]) => ({ ...record, inner })),
  ),
  list: fc.array(tie("any"), { maxLength: 5 }),
  odd: fc.dictionary(key, tie("any"), { maxKeys: 4, noNullPrototype: true }),
}));
const message = fc
  .oneof(value.record, value.any)
  .filter((sent) => sent !== undefined && !(sent instanceof Uint8Array));

describe("values in bundles", () => {
  test("come back as they were sent, wherever bundles begin and end", () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 60 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 17 }),
        (sent, cuts) => {
          expect(unbundle(bundle(sent, cuts))).toEqual(sent);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("say the keys of a shape once a bundle", () => {
    const sent = Array.from({ length: 100 }, (_, id) => ({ identifier: id, live: true }));
    for (let count = 0; count < 3; count++) bundle(sent, [false]);
    const bodies = bundle(sent, [false]);
    for (const body of bodies) {
      expect(Buffer.from(body).toString("latin1").split("identifier")).toHaveLength(2);
    }
    expect(unbundle(bodies)).toEqual(sent);
  });

  test("come back where shapes lose their numbers in the middle of a bundle", () => {
    const sent = Array.from({ length: 2_000 }, (_, id) => ({ [`k${id % 300}`]: id, id }));
    for (let count = 0; count < 3; count++) {
      const pairs = sent.flatMap((object) => [object, object]);
      expect(unbundle(bundle(pairs, [false]))).toEqual(pairs);
    }
  });

  test("are refused or become other values where bytes change on the way", () => {
    const flip = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    const names = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.array(flip, { minLength: 1, maxLength: 4 }),
        (sent, flips) => {
          const bodies = bundle(sent, [false]);
          for (const { at, to } of flips) {
            const body = bodies[at % bodies.length] as Uint8Array;
            body[at % body.length] = to;
          }
          try {
            unbundle(bodies);
          } catch (thrown) {
            // A length that leads out of the bundle is the bundle's to refuse, not the value's.
            if (!(thrown instanceof RangeError)) expect(thrown).toBeInstanceOf(FoundationError);
          }
        },
      ),
      { numRuns: 3_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
    expect(Object.keys({})).toEqual([]);
    const probe = [{ id: 1, name: "probe" }, { list: [{ id: 2 }] }];
    expect(unbundle(bundle(probe, [false]))).toEqual(probe);
  });
});
