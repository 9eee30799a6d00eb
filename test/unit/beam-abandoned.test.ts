import { describe, expect, test } from "vitest";
import type { Self } from "../../dist/ts/index.js";
import { Scene, settled } from "./beam-scene.ts";

/** A process that was killed while its handler awaited something; `act` is what goes on then. */
async function abandoned<T>(scene: Scene, act: (self: Self) => T | Promise<T>): Promise<T> {
  const { processes } = scene;
  let goOn = (): void => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let acted: Promise<T> | undefined;
  const pid = processes.spawn((_message, self: Self) => {
    acted = gate.then(async () => act(self));
    return acted;
  });
  processes.send(pid, 1);
  await settled();
  processes.exit(pid, "kill");
  goOn();
  return acted as unknown as Promise<T>;
}

describe("a handler whose process was killed", () => {
  test.each(["send", "cast"] as const)("%ss nothing, which is counted", async (how) => {
    const scene = new Scene();
    const got: unknown[] = [];
    const other = scene.processes.spawn((message) => void got.push(message));
    expect(await abandoned(scene, (self) => self[how](other, "too late"))).toBe(true);
    await settled();
    expect(got).toEqual([]);
    expect(scene.runtime.counts).toMatchObject({ fromEnded: 1, toNobody: 0 });
  });

  test.each<[string, (self: Self) => unknown]>([
    ["spawnLink", (self) => self.spawnLink(() => {})],
    ["spawnMonitor", (self) => self.spawnMonitor(() => {})],
    ["receive", async (self) => self.receive()],
  ])("cannot %s, and leaves no process behind", async (_what, act) => {
    const scene = new Scene();
    await expect(abandoned(scene, act)).rejects.toMatchObject({ code: "process_exited" });
    expect(scene.processes.list()).toEqual([]);
  });

  test.each(["call", "drained"] as const)("cannot %s", async (what) => {
    const scene = new Scene();
    let calls = 0;
    const other = scene.processes.spawn(() => void calls++);
    const act = async (self: Self) => self[what](other, {});
    await expect(abandoned(scene, act)).rejects.toMatchObject({ code: "process_exited" });
    await settled();
    expect(calls).toBe(0);
  });

  test("ties itself to nobody", async () => {
    const scene = new Scene();
    const other = scene.processes.spawn(() => {});
    await abandoned(scene, (self) => {
      self.link(other);
      self.demonitor(self.monitor(other));
      self.monitor(other);
      self.unlink(other);
    });
    expect(await scene.processes.processInfo(other)).toMatchObject({ links: [], watchers: 0 });
    scene.processes.exit(other, "kill");
    await settled();
    expect(scene.processes.list()).toEqual([]);
  });

  test("sets no timer", async () => {
    const scene = new Scene();
    const timer = await abandoned(scene, (self) => self.sendAfter(60_000, "tick"));
    expect(scene.processes.cancelTimer(timer)).toBeUndefined();
  });
});

describe("a handler that ends its own process", () => {
  const own = (act: (scene: Scene) => unknown) => {
    const scene = new Scene();
    const { processes } = scene;
    const pid = processes.spawn((_message, self: Self) => {
      processes.exit(self.pid, "enough");
      return act(scene);
    });
    return { scene, pid };
  };

  test.each<[string, (scene: Scene) => unknown]>([
    ["spawnLink", ({ processes }) => processes.spawnLink(() => {})],
    ["spawnMonitor", ({ processes }) => processes.spawnMonitor(() => {})],
    ["startLink", async ({ processes }) => processes.startLink(() => {})],
    ["runLink", ({ tasks }) => tasks.runLink(() => {})],
  ])("leaves no process behind by %s", async (_what, act) => {
    const thrown: unknown[] = [];
    const { scene, pid } = own(async (inner) => {
      try {
        await act(inner);
      } catch (error) {
        thrown.push(error);
      }
    });
    scene.processes.send(pid, 1);
    await settled();
    expect(thrown).toMatchObject([{ code: "process_exited" }]);
    expect(scene.processes.list()).toEqual([]);
  });

  test("answers no call any more", async () => {
    const { scene, pid } = own(() => "an answer");
    await expect(scene.processes.call(pid, 1)).rejects.toMatchObject({ code: "process_exited" });
  });
});

describe("a supervisor that was killed", () => {
  test("while a child is started elsewhere leaves no orphan", async () => {
    const { processes, supervisors } = new Scene();
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const pid = await supervisors.start({});
    const startWith = async () => {
      await gate;
      return processes.spawn(() => {});
    };
    const started = supervisors.startChild(pid, { id: "late", startWith });
    started.catch(() => {});
    await settled();
    processes.exit(pid, "kill");
    open();
    await expect(started).rejects.toMatchObject({ code: "process_exited" });
    await settled();
    expect(processes.list()).toEqual([]);
  });

  test("in the middle of a restart starts nobody else", async () => {
    const { processes, supervisors } = new Scene();
    const crashing = () => {
      throw new Error("broken");
    };
    const pid = await supervisors.start({
      strategy: "oneForAll",
      children: [
        { id: "crashing", start: crashing },
        { id: "stubborn", start: () => {}, trapExit: true, shutdown: "infinity" },
      ],
    });
    const [first, second] = await supervisors.whichChildren(pid);
    processes.send(first!.pid!, "now");
    await settled(); // it waits for the second one to end
    processes.exit(pid, "kill");
    processes.exit(second!.pid!, "kill");
    await settled();
    expect(processes.list()).toEqual([]);
  });
});
