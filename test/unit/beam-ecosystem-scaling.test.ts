import { describe, expect, test } from "vitest";
import { EcosystemScene, Gates } from "./beam-ecosystem-scene.ts";
import { settled } from "./beam-scene.ts";

async function start() {
  const scene = new EcosystemScene();
  const gates = new Gates();
  const pid = await scene.spawn({
    workers: { start: gates.server(), count: "autoScale", min: 1, max: 3 },
    scaling: { highDelayMs: 100, lowDelayMs: 10, upAfterLooks: 2, downAfterLooks: 3 },
  });
  const lookAt = async (nowMs: number): Promise<number> => {
    scene.nowMs = nowMs;
    scene.look();
    await settled();
    return scene.ecosystems.listWorkers(pid).length;
  };
  return { scene, gates, pid, lookAt };
}

describe("the number of workers", () => {
  test("follows the queue delay between its bounds", async () => {
    const { scene, gates, pid, lookAt } = await start();
    const works = ["a", "b", "c", "d", "e", "f"];
    const calls = works.map((work) => scene.processes.call(pid, work));
    await settled();
    expect(await lookAt(99)).toBe(1); // below the threshold
    expect(await lookAt(100)).toBe(1); // once is a burst
    expect(await lookAt(150)).toBe(2);
    expect(await lookAt(200)).toBe(2);
    expect(await lookAt(250)).toBe(3);
    expect(await lookAt(300)).toBe(3);
    expect(await lookAt(350)).toBe(3); // `max`
    expect(gates.begun).toEqual(["a", "b", "c"]);
    for (const work of works) {
      gates.open(work);
      await settled();
    }
    await Promise.all(calls);
    expect(await lookAt(400)).toBe(3); // what was handed out since has waited
    expect(await lookAt(450)).toBe(3);
    expect(await lookAt(500)).toBe(3);
    expect(await lookAt(550)).toBe(2);
    expect(await lookAt(600)).toBe(2);
    expect(await lookAt(650)).toBe(2);
    expect(await lookAt(700)).toBe(1);
    for (let look = 0; look < 5; look++) expect(await lookAt(750 + look)).toBe(1); // `min`
    expect(scene.ecosystems.ecosystemInfo(pid)).toMatchObject({
      workersMin: 1,
      workersMax: 3,
      scaling: { mode: "autoScale", error: undefined, decisions: [] },
    });
  });

  test("does not fall while all are at work, and is not looked at after the end", async () => {
    const { scene, gates, pid, lookAt } = await start();
    await scene.ecosystems.addWorker(pid);
    const calls = ["a", "b"].map((work) => scene.processes.call(pid, work));
    await settled();
    for (let look = 0; look < 5; look++) expect(await lookAt(look)).toBe(2);
    gates.open("a");
    gates.open("b");
    await Promise.all(calls);
    await scene.ecosystems.shutdownEcosystem(pid);
    expect(scene.looks.size).toBe(0);
  });
});

test("a change of `adaptive` that made things worse is undone, and told", async () => {
  const scene = new EcosystemScene();
  let atWork = 0;
  let isOver = false;
  /** All work behind one lock that costs more the more there are who want it. */
  const contended = async (): Promise<void> => {
    atWork++;
    const turns = atWork === 1 ? 1 : 6 * atWork;
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    atWork--;
  };
  const pid = await scene.spawn({
    workers: { start: contended, count: "adaptive", min: 1, max: 3 },
    scaling: { highDelayMs: 100, lowDelayMs: 10, evidenceLooks: 3 },
  });
  // Somebody keeps the queue filled.
  const feed = (async () => {
    while (!isOver) {
      if (scene.ecosystems.ecosystemInfo(pid).queue.waiting < 50) scene.processes.send(pid, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const sizes: number[] = [];
  for (let look = 0; look < 20; look++) {
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
    scene.nowMs += 1_000;
    scene.cpuMs += 100;
    scene.look();
    await settled();
    sizes.push(scene.ecosystems.listWorkers(pid).length);
  }
  isOver = true;
  await feed;
  expect(Math.max(...sizes)).toBe(2);
  expect(sizes.at(-1)).toBe(1);
  const { scaling } = scene.ecosystems.ecosystemInfo(pid);
  expect(scaling).toMatchObject({ mode: "adaptive", error: undefined, ceiling: 2 });
  expect(scaling.decisions).toMatchObject([{ from: 1, to: 2, verdict: "reverted" }]);
  const [{ before, after } = {}] = scaling.decisions;
  expect(after?.throughputPerSecond).toBeLessThan((before?.throughputPerSecond as number) / 2);
  expect(before?.cpuCores).toBeCloseTo(0.1);
  await scene.ecosystems.shutdownEcosystem(pid, { graceMs: 0 });
});
