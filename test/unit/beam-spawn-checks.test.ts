import { describe, expect, test } from "vitest";
import {
  dynamicSupervisor,
  GenServer,
  heavy,
  type Pid,
  type Self,
  StateMachine,
  supervisor,
} from "../../dist/ts/index.js";
import { Scene } from "./beam-scene.ts";

const refused = expect.objectContaining({ code: "invalid_options" });

class Server extends GenServer {}
class Machine extends StateMachine {
  override readonly states = {};
  override init(): string {
    return "none";
  }
}

describe("what no process can be made of", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text", "handler"],
    ["an object without a handler", {}],
    ["a class of servers", Server],
    ["a class of state machines", Machine],
    ["a heavy process", heavy({ module: import.meta.url.replace(/ts$/, "js") })],
    ["a supervisor", supervisor({ children: [] })],
  ])("is refused by spawn: %s", (_what, body) => {
    const { processes } = new Scene();
    expect(() => processes.spawn(body as never)).toThrow(refused);
    expect(processes.list()).toEqual([]);
  });

  test.each<[object, RegExp]>([
    [{ nam: "x" }, /did you mean 'name'/],
    [{ args: [1] }, /unknown option 'args'|`args` are for servers/],
    [{ name: 7 }, /name must be a text/],
    [{ label: {} }, /label must be a text/],
    [{ mailbox: { messageMax: 1 } }, /did you mean 'messagesMax'/],
    [{ mailbox: 7 }, /mailbox must be an object/],
  ])("is not started with %j", async (options, message) => {
    const { processes, supervisors } = new Scene();
    expect(() => processes.spawn(() => {}, options)).toThrow(message);
    await expect(supervisors.start(options as never)).rejects.toThrow(message);
    expect(processes.list()).toEqual([]);
  });
});

test.each([undefined, null, 7, {}, { node: "n" }])("%j receives nothing", async (to) => {
  const { processes } = new Scene();
  expect(() => processes.send(to as never, 1)).toThrow(refused);
  expect(() => processes.cast(to as never, 1)).toThrow(refused);
  await expect(processes.call(to as never, 1)).rejects.toThrow(refused);
  await expect(processes.drained(to as never)).rejects.toThrow(refused);
});

test("options that nobody knows are refused, with the nearest that is known", async () => {
  const { processes, tasks } = new Scene();
  const pid = processes.spawn(async (message: unknown, self: Self) => {
    if (message === "receive") return self.receive(undefined, { timeoutMS: 1 } as never);
    return message;
  });
  const wrong = { timeoutMS: 1, chanel: "bulk" } as never;
  expect(() => processes.send(pid, 1, wrong)).toThrow(/unknown option 'timeoutMS'/);
  expect(() => processes.send(pid, 1, { chanel: "bulk" } as never)).toThrow(/'channel'\?/);
  expect(() => processes.cast(pid, 1, wrong)).toThrow(refused);
  await expect(processes.drained(pid, wrong)).rejects.toThrow(refused);
  await expect(processes.call(pid, 1, wrong)).rejects.toThrow(/'timeoutMs'\?/);
  await expect(processes.call(pid, 1, { timeoutMs: Number.NaN })).rejects.toThrow(refused);
  await expect(processes.call(pid, "receive")).rejects.toThrow(/'timeoutMs'\?/);
  expect(() => tasks.run(() => 1, { lable: "x" } as never)).toThrow(/'label'\?/);
  expect(() => tasks.run(undefined as never)).toThrow(/work must be a function/);
  const module = new URL("file:///x.js");
  expect(() => heavy({ module, heapMib: 8 } as never)).toThrow(/'heapMiB'\?/);
});

test("a printed pid is read before it is used", async () => {
  const { processes } = new Scene();
  const pid = processes.spawn(() => {});
  const text = pid.toString() as unknown as Pid;
  expect(() => processes.exit(text, "kill")).toThrow(refused);
  expect(() => processes.monitor(text, () => {})).toThrow(refused);
  expect(() => processes.link(pid, text)).toThrow(refused);
  expect(() => processes.link(text, pid)).toThrow(refused);
  expect(() => processes.register("name", text)).toThrow(refused);
  expect(() => processes.isAlive(text)).toThrow(/parsePid/);
  await expect(processes.exitOf(text)).rejects.toThrow(refused);
  await expect(processes.stop(text)).rejects.toThrow(refused);
  await expect(processes.processInfo(text)).rejects.toThrow(refused);
  expect(processes.isAlive(pid)).toBe(true);
});

describe("a supervisor", () => {
  test.each<[object, RegExp]>([
    [{ stratgy: "oneForAll" }, /unknown option 'stratgy'/],
    [{ intensity: { restartMax: 1 } }, /did you mean 'restartsMax'/],
    [{ backoff: { firstMS: 1 } }, /did you mean 'firstMs'/],
  ])("is not started with %j", async (options, message) => {
    const { supervisors } = new Scene();
    await expect(supervisors.start(options)).rejects.toThrow(message);
  });

  test("has its name where it is started, not where it is described", async () => {
    const named = { name: "inner" };
    expect(() => supervisor(named as never)).toThrow(/did you mean|unknown option 'name'/);
    expect(() => dynamicSupervisor(named as never)).toThrow(/unknown option 'name'/);
    const { processes, supervisors } = new Scene();
    const start = supervisor({ children: [] });
    await supervisors.start({ children: [{ id: "inner", start, name: "inner" }] });
    expect(processes.whereis("inner")).toBeDefined();
    await supervisors.startDynamic({ name: "pool", childrenMax: 1 });
    expect(processes.whereis("pool")).toBeDefined();
  });
});
