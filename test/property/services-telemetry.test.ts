import fc from "fast-check";
import { expect, test } from "vitest";
import { Sketch } from "../../ts/services/telemetry/sketch.ts";

const value = fc.oneof(
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.integer({ min: -1_000, max: 1_000 }),
);

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const one of values) sketch.add(one);
  return sketch;
}

test("a quantile is within 1 % of the value at its rank", () => {
  const part = fc.constantFrom(0, 0.25, 0.5, 0.9, 0.99, 1);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), part, (values, q) => {
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.floor(q * (sorted.length - 1))] as number;
      const found = sketchOf(values).quantile(q);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0101 + 1e-8);
    }),
  );
});

test("merged sketches are the sketch of all values", () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (one, two) => {
      const merged = sketchOf(one);
      merged.merge(sketchOf(two));
      const all = sketchOf([...one, ...two]);
      expect(merged.count).toBe(all.count);
      for (const q of [0, 0.5, 0.99, 1]) expect(merged.quantile(q)).toBe(all.quantile(q));
      const { min, max } = merged.summary();
      expect([min, max]).toEqual([all.summary().min, all.summary().max]);
    }),
  );
});

test("a sketch is the same after a journey as plain data", () => {
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const sketch = sketchOf(values);
      const data = structuredClone(sketch.toData());
      expect(Sketch.from(data).toData()).toEqual(data);
      expect(Sketch.from(data).summary()).toEqual(sketch.summary());
    }),
  );
});

test("a count up to a bound is that of the values, but for those within 1 % of it", () => {
  fc.assert(
    fc.property(fc.array(value), value, (values, bound) => {
      const slack = Math.abs(bound) * 0.0101 + 1e-8;
      const counted = sketchOf(values).countAtMost(bound);
      const least = values.filter((one) => one <= bound - slack).length;
      const most = values.filter((one) => one <= bound + slack).length;
      expect(counted).toBeGreaterThanOrEqual(least);
      expect(counted).toBeLessThanOrEqual(most);
    }),
  );
});

test("counts up to rising bounds never fall, and end with all of them", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), fc.array(value), (values, bounds) => {
      const sketch = sketchOf(values);
      const rising = [...bounds].sort((a, b) => a - b).map((bound) => sketch.countAtMost(bound));
      expect(rising).toEqual([...rising].sort((a, b) => a - b));
      expect(sketch.countAtMost(Math.max(...values))).toBe(values.length);
    }),
  );
});
