import { randomInt } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SCALING, Simulation } from "../unit/beam-adaptive-scene.ts";

const RUNS = 300;
const SIZES = 6;
const seed = randomInt(2 ** 31);

/** What so many workers do together: anything, better or worse with each of them. */
const plants = fc.array(fc.integer({ min: 20, max: 500 }), {
  minLength: SIZES,
  maxLength: SIZES,
});
const cores = fc.array(fc.double({ min: 0.1, max: 8, noNaN: true }), {
  minLength: SIZES,
  maxLength: SIZES,
});
/** Work a second, and for how long. */
const loads = fc.array(
  fc.record({ work: fc.integer({ min: 0, max: 600 }), looks: fc.integer({ min: 1, max: 90 }) }),
  { minLength: 1, maxLength: 30 },
);

test("whatever comes, it stays within its bounds and by its word", () => {
  console.log(`seed ${seed}`);
  const property = fc.property(plants, cores, loads, (capacities, used, phases) => {
    const plant = {
      capacity: (workers: number) => capacities[workers - 1] as number,
      cores: (workers: number) => used[workers - 1] as number,
    };
    const simulation = new Simulation(plant, 1, SIZES);
    for (const { work, looks } of phases) {
      for (let look = 0; look < looks; look++) {
        const before = simulation.workers;
        const { ceiling, floor } = simulation.scaler.report(simulation.nowMs + 1_000);
        const known = simulation.decisions.length;
        simulation.run(1, () => work);
        expect(simulation.workers).toBeGreaterThanOrEqual(1);
        expect(simulation.workers).toBeLessThanOrEqual(SIZES);
        expect(Math.abs(simulation.workers - before)).toBeLessThanOrEqual(1);
        const isNew = simulation.decisions.length > known;
        const last = simulation.decisions.at(-1);
        if (!isNew || last === undefined) continue;
        // What was undone is not tried again while it is remembered.
        if (last.to > last.from) expect(last.to).toBeLessThan(ceiling ?? SIZES + 1);
        else expect(last.to).toBeGreaterThan(floor ?? 0);
      }
    }
    expect(simulation.decisions.length).toBeLessThanOrEqual(64);
  });
  fc.assert(property, { seed, numRuns: RUNS });
});

test("under more work than can be done, it keeps what helps and undoes what harms", () => {
  console.log(`seed ${seed}`);
  const property = fc.property(plants, (capacities) => {
    const capacity = (workers: number): number => capacities[workers - 1] as number;
    const simulation = new Simulation({ capacity, cores: () => 1 }, 1, SIZES);
    simulation.run(600, () => 1_000);
    expect(simulation.decisions.length).toBeGreaterThan(0);
    for (const { from, to, verdict, reason } of simulation.decisions) {
      const ratio = capacity(to) / capacity(from);
      if (verdict === "kept") expect(ratio).toBeGreaterThanOrEqual(1 - SCALING.toleranceRatio);
      if (reason.startsWith("less work")) expect(ratio).toBeLessThan(1 - SCALING.toleranceRatio);
    }
    // It climbs until a step down stands before it, and stays there.
    const step = capacities.findIndex((_, index) => {
      return index > 0 && capacity(index + 1) < capacity(index) * (1 - SCALING.toleranceRatio);
    });
    const top = step < 0 ? SIZES : step;
    expect(simulation.sizes.filter((size) => size > top + 1)).toEqual([]);
    expect(simulation.sizes.filter((size) => size === top).length).toBeGreaterThan(300);
  });
  fc.assert(property, { seed, numRuns: RUNS });
});
