import { beforeEach, describe, expect, test } from "vitest";
import { Pid } from "../../dist/ts/index.js";
import { Tracing } from "../../dist/ts/services/capture/tracing.js";
import { Scene, settled } from "./beam-scene.ts";
import { codeOf } from "./thrown-code.ts";

const DEFAULTS = { spawn: true, exit: true, message: false, children: true };

let scene: Scene;
let tracing: Tracing;
let traced: string[];

beforeEach(() => {
  scene = new Scene();
  traced = [];
  const record = (type: string, data: object, pid: Pid): void => {
    const { parent, reason, kind, message } = data as Record<string, unknown>;
    const parts = [type, pid.serial, parent && (parent as Pid).serial, reason, kind, message];
    traced.push(parts.filter((part) => part !== undefined).join(" "));
  };
  tracing = new Tracing(scene.processes, record, () => DEFAULTS);
});

const idle = (): void => {};
/** Starts another process for each message. */
const spawning = (): void => void scene.processes.spawn(idle);

describe("tracing", () => {
  test("records starts and ends until it is stopped", async () => {
    const { processes } = scene;
    const stop = tracing.trace();
    const first = processes.spawn(idle);
    processes.exit(first, "boom");
    await settled();
    stop();
    processes.spawn(idle);
    expect(traced).toEqual(["process_spawn 1", "process_exit 1 boom"]);
  });

  test("names the process that has started another one", async () => {
    const { processes } = scene;
    const parent = processes.spawn(spawning);
    tracing.trace();
    processes.send(parent, "go");
    await settled();
    expect(traced).toEqual(["process_spawn 2 1"]);
  });

  test("names the parent although it awaited something before", async () => {
    const { processes } = scene;
    const parent = processes.spawn(async (_message, self) => {
      await Promise.resolve();
      self.spawnLink(idle);
    });
    tracing.trace();
    processes.send(parent, "go");
    await settled();
    expect(traced).toEqual(["process_spawn 2 1"]);
  });

  test("records messages by their kind, and not what is in them", async () => {
    const { processes } = scene;
    const pid = processes.spawn(() => 1);
    tracing.trace({ message: true });
    processes.send(pid, { kind: "order", secret: "s" });
    processes.cast(pid, 5);
    await processes.call(pid, new Map());
    expect(traced).toEqual([
      "message_receive 1 send order",
      "message_receive 1 cast number",
      "message_receive 1 call Map",
    ]);
  });

  test("records messages that `receive` takes, before and while it waits", async () => {
    const { processes } = scene;
    const pid = processes.spawn(async (_message, self) => {
      await self.receive();
      await self.receive();
    });
    processes.send(pid, "go");
    processes.send(pid, { kind: "waiting" });
    await settled();
    tracing.trace({ message: true });
    processes.send(pid, { kind: "later" });
    await settled();
    expect(traced).toEqual(["message_receive 1 send later"]);
  });

  test("of some processes leaves the others alone", async () => {
    const { processes } = scene;
    const [one, other] = [processes.spawn(spawning), processes.spawn(spawning)];
    tracing.trace({ processes: [one] });
    processes.send(other, "go");
    processes.send(one, "go");
    await settled();
    processes.exit(other, "boom");
    processes.exit(one, "boom");
    expect(traced).toEqual(["process_spawn 4 1", "process_exit 1 boom"]);
  });

  test("of some processes goes on with what their children start", async () => {
    const { processes } = scene;
    const child = (): void => void processes.spawn(idle);
    const parent = processes.spawn(() => {
      processes.send(processes.spawn(child), "go");
    });
    tracing.trace({ processes: [parent] });
    processes.send(parent, "go");
    await settled();
    expect(traced).toEqual(["process_spawn 2 1", "process_spawn 3 2"]);
  });

  test("without children leaves alone what is started later", async () => {
    const { processes } = scene;
    const parent = processes.spawn(spawning);
    tracing.trace({ children: false });
    processes.send(parent, "go");
    await settled();
    processes.exit(parent, "boom");
    expect(traced).toEqual(["process_exit 1 boom"]);
  });

  test("twice records once what both want", () => {
    const { processes } = scene;
    const stops = [tracing.trace(), tracing.trace({ exit: false })];
    processes.exit(processes.spawn(idle), "boom");
    expect(traced).toEqual(["process_spawn 1", "process_exit 1 boom"]);
    for (const stop of stops) stop();
    processes.spawn(idle);
    expect(traced.length).toBe(2);
  });

  test("refuses processes of elsewhere, and options that are wrong", () => {
    const trace = (options: object) => codeOf(() => tracing.trace(options))?.[0];
    expect(
      trace({ processes: [new Pid({ node: "n", life: "2", slot: 0, generation: 1 }, 1)] }),
    ).toBe("noproc");
    expect(trace({ processes: ["x"] })).toBe("noproc");
    expect(trace({ spawn: 1 })).toBe("invalid_options");
    expect(trace({ mesage: true })).toBe("invalid_options");
  });

  test("is refused where another tracer is there", () => {
    const untrace = scene.processes.trace({ spawned: idle, ended: idle, received: idle });
    expect(codeOf(() => tracing.trace())).toEqual(["trace_under_way", 28_704]);
    untrace();
    expect(codeOf(() => tracing.trace())).toBeUndefined();
  });
});
