import { describe, expect, test } from "vitest";
import { Simulation } from "./beam-adaptive-scene.ts";

const perfect = { capacity: (workers: number) => 100 * workers };
/** All work behind one lock: who waits for it takes time from who has it. */
const contended = { capacity: (workers: number) => 100 / (1 + 0.3 * (workers - 1)) };
/** As much work with any number, but those who wait for the lock burn a core each. */
const spinning = { capacity: () => 100, cores: (workers: number) => workers };

describe("a scaler that measures", () => {
  test("adds workers while each of them does more work", () => {
    const simulation = new Simulation(perfect, 1, 8);
    simulation.run(120, () => 450);
    expect(simulation.workers).toBeGreaterThanOrEqual(5);
    const { decisions } = simulation;
    expect(decisions[0]).toMatchObject({ from: 1, to: 2, verdict: "kept" });
    expect(decisions[0]?.before).toMatchObject({ looks: 5, throughputPerSecond: 100, cpuCores: 1 });
    expect(decisions[0]?.after).toMatchObject({ looks: 5, throughputPerSecond: 200, cpuCores: 2 });
    expect(decisions.every(({ verdict }) => verdict !== "reverted")).toBe(true);
  });

  test("ends a worker again that made the others slower, and remembers it", () => {
    const simulation = new Simulation(contended, 1, 8);
    simulation.run(20, () => 150);
    expect(simulation.workers).toBe(1);
    expect(simulation.decisions).toMatchObject([
      {
        from: 1,
        to: 2,
        verdict: "reverted",
        reason: "less work was done while more waited",
        before: { throughputPerSecond: 100 },
      },
    ]);
    expect(simulation.scaler.report(simulation.nowMs).ceiling).toBe(2);
    simulation.run(50, () => 150);
    expect(simulation.decisions).toHaveLength(1); // within `rememberMs`
    simulation.run(3_600, () => 150);
    // 60, 120, 240, 480, then 960 s apart.
    expect(simulation.decisions.length).toBeGreaterThan(4);
    expect(simulation.decisions.length).toBeLessThanOrEqual(8);
    expect(simulation.decisions.every(({ to }) => to === 2)).toBe(true);
    expect(simulation.workers).toBe(1);
  });

  test("ends one that did no work but took CPU", () => {
    const simulation = new Simulation(spinning, 2, 8);
    simulation.run(30, () => 150);
    expect(simulation.decisions).toMatchObject([
      { from: 2, to: 3, verdict: "reverted", reason: "as much work took more CPU" },
    ]);
    expect(simulation.workers).toBe(2);
  });

  test("takes no notice of a burst that is over before it could be measured", () => {
    const simulation = new Simulation(perfect, 1, 8);
    simulation.run(10, () => 50);
    simulation.run(2, () => 150);
    simulation.run(20, () => 20);
    expect(simulation.changes).toBe(0);
  });

  test("ends an idle worker, and starts one again at once where work waits for it", () => {
    const plant = { capacity: (workers: number) => (workers >= 4 ? 400 : 200) };
    const simulation = new Simulation(plant, 1, 8);
    simulation.workers = 4;
    simulation.run(11, () => 250);
    expect(simulation.workers).toBe(3);
    simulation.run(4, () => 250);
    expect(simulation.workers).toBe(4);
    expect(simulation.decisions).toMatchObject([
      { from: 4, to: 3, verdict: "reverted", reason: "work waited longer" },
    ]);
    expect(simulation.scaler.report(simulation.nowMs).floor).toBe(3);
    simulation.run(50, () => 250);
    expect(simulation.workers).toBe(4);
  });

  test("goes on to fewer while nobody misses them", () => {
    const simulation = new Simulation(perfect, 2, 8);
    simulation.workers = 6;
    simulation.run(120, () => 50);
    expect(simulation.workers).toBe(2);
    expect(simulation.decisions.map(({ verdict }) => verdict)).toEqual(Array(4).fill("kept"));
  });

  test("gives up on a change that did not happen, and on one that others changed", () => {
    const simulation = new Simulation(perfect, 1, 8);
    simulation.run(6, () => 300);
    expect(simulation.workers).toBe(2);
    simulation.workers = 1; // it could not be started
    simulation.run(1, () => 300);
    expect(simulation.decisions).toMatchObject([{ verdict: "abandoned", after: undefined }]);
    simulation.run(5, () => 300);
    simulation.workers = 5; // somebody added three
    simulation.run(1, () => 300);
    expect(simulation.decisions.map(({ verdict }) => verdict)).toEqual(["abandoned", "abandoned"]);
  });

  test("keeps its last 64 decisions", () => {
    const simulation = new Simulation(perfect, 1, 200);
    simulation.run(1_000, () => 100_000);
    expect(simulation.decisions).toHaveLength(64);
    expect(simulation.decisions.at(-1)?.to).toBeGreaterThan(64);
  });

  test("does not swing with a load that comes and goes", () => {
    // Half a minute of each: long enough to be followed, too short for that to be of any use.
    const load = (look: number): number => (look % 60 < 30 ? 170 : 20);
    const measured = new Simulation(perfect, 1, 4);
    const unmeasured = new Simulation(perfect, 1, 4, false);
    measured.run(7_200, load);
    unmeasured.run(7_200, load);
    expect(unmeasured.changes).toBeGreaterThan(200);
    expect(measured.changes).toBeLessThan(50);
    expect(measured.workers).toBe(2);
  });
});
