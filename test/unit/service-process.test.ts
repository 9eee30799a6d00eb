import { expect, test } from "vitest";
import { serviceChild } from "../../dist/ts/services/service-process.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { Scene, settled } from "./beam-scene.ts";

class Tally {
  count = 0;
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

async function startTally() {
  const { processes, supervisors } = new Scene();
  const slot = new ServiceSlot<Tally>("tally", 5000);
  const made: Tally[] = [];
  const make = (last: Tally | undefined): Tally => {
    const tally = new Tally();
    tally.count = last?.count ?? 0;
    made.push(tally);
    return tally;
  };
  const child = serviceChild({ slot, processes, make });
  const supervisor = await supervisors.start({ children: [child] });
  const kill = async (): Promise<void> => {
    const [child] = await supervisors.whichChildren(supervisor);
    if (child?.pid !== undefined) processes.exit(child.pid, "kill");
  };
  return { processes, slot, made, supervisor, kill };
}

test("a service is in its slot while its process lives", async () => {
  const { processes, slot, made, supervisor } = await startTally();
  slot.core.count += 2;
  expect([slot.isUp, slot.core.count, slot.restarts]).toEqual([true, 2, 0]);
  await processes.stop(supervisor, "shutdown");
  await settled();
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(() => slot.core).toThrow(
    expect.objectContaining({ code: "service_unavailable", numericCode: 5000 }),
  );
});

test("a killed service comes back with what it had", async () => {
  const { slot, made, kill } = await startTally();
  slot.core.count += 3;
  await kill();
  await settled();
  expect([made.length, slot.core.count, slot.restarts]).toEqual([2, 3, 1]);
  expect(slot.core).toBe(made[1]);
});

test("a slot that was closed holds nothing, nor what is removed from it later", () => {
  const slot = new ServiceSlot<Tally>("tally", 5000);
  const [first, second] = [new Tally(), new Tally()];
  slot.install(first);
  slot.remove(first);
  expect(slot.last).toBe(first);
  slot.install(second);
  slot.close();
  slot.remove(second);
  expect([slot.isUp, slot.last, second.isClosed]).toEqual([false, undefined, true]);
});

test("a slot closes the core it holds, or held last: a killed process closes nothing", () => {
  const slot = new ServiceSlot<Tally>("tally", 5000);
  slot.close();
  const [first, second] = [new Tally(), new Tally()];
  slot.install(first);
  slot.remove(first);
  slot.close();
  expect([first.isClosed, second.isClosed]).toEqual([true, false]);
  slot.install(second);
  slot.close();
  expect(second.isClosed).toBe(true);
});
