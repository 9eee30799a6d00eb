import { expect, test } from "vitest";
import {
  type ServiceInstance,
  ServiceInstances,
} from "../../dist/ts/services/instances/service-instances.js";
import { Scene, settled } from "./beam-scene.ts";

const PLACE = { namespace: "shop", service: "config", numericCode: 5000 } as const;
const NOTHING = (): object => ({});

function scene() {
  const { processes } = new Scene();
  const watches = new Set<unknown>();
  const counted = {
    isAlive: (pid: never) => processes.isAlive(pid),
    monitor: (pid: never, onDown: never) => {
      const stop = processes.monitor(pid, onDown);
      watches.add(stop);
      return () => {
        watches.delete(stop);
        stop();
      };
    },
  };
  // Names are another matter.
  const processRegistry = { claim: async () => {} };
  const instances = new ServiceInstances({ processes: counted, processRegistry } as never);
  return { processes, instances, watches };
}

test("who is killed as it starts does not take the place of the next one", async () => {
  const { processes, instances } = scene();
  const parent = processes.spawn(() => {});
  const [killed, next] = [processes.spawn(() => {}), processes.spawn(() => {})];
  let prepared: (make: ServiceInstance["make"]) => void = () => {};
  const first = new Promise<ServiceInstance["make"]>((resolve) => {
    prepared = resolve;
  });
  const late = instances.take(PLACE, { pid: killed, parent }, async () => first);
  processes.exit(killed, "kill");
  const taken = await instances.take(PLACE, { pid: next, parent }, async () => NOTHING);
  taken.slot.install({});
  prepared(NOTHING);
  await expect(late).rejects.toMatchObject({ code: "noproc" });
  expect(instances.slot("shop", "config")).toBe(taken.slot);
  expect(taken.slot.isUp).toBe(true);
});

test("what has ended in order is watched and held no longer", async () => {
  const { processes, instances, watches } = scene();
  const parent = processes.spawn(() => {});
  const pid = processes.spawn(() => {});
  const instance = await instances.take(PLACE, { pid, parent }, async () => NOTHING);
  const core = {};
  instance.slot.install(core);
  expect(watches.size).toBe(1);
  instances.forget("shop", "config", instance);
  instance.slot.remove(core);
  expect(watches.size).toBe(0);
  expect([instance.slot.isUp, instance.slot.last]).toEqual([false, undefined]);
  expect(instances.slot("shop", "config")).toBeUndefined();
});

test("what its supervisor does not start again goes with its process", async () => {
  const { processes, instances } = scene();
  const pid = processes.spawn(() => {});
  const instance = await instances.take(PLACE, { pid, parent: undefined }, async () => NOTHING);
  instance.slot.install({});
  processes.exit(pid, "kill");
  await settled();
  expect(instance.slot.isUp).toBe(false);
  expect(instances.slot("shop", "config")).toBeUndefined();
});
