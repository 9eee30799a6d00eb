import type { FoundationNode, Pid } from "foundation-runtime";
import { heavy } from "foundation-runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";
import { Probe } from "./probe.ts";

const SERVERS = new URL("./fixtures/heavy-servers.mjs", import.meta.url);

let nodes: LocalNodes;
let node: FoundationNode;
let probe: Probe;
beforeEach(async () => {
  nodes = new LocalNodes();
  node = await nodes.start({ name: "host" });
  node.beam.processes.on("crashed", () => {});
  probe = new Probe(node, { trapExit: true });
});
afterEach(async () => nodes.leaveAll());

describe("a heavy process", () => {
  test("is a server with arguments, a name and an isolate of its own", async () => {
    const { processes } = node.beam;
    const counter = heavy({ module: SERVERS, export: "Counter" });
    const pid = await processes.start(counter, { args: [40, probe.pid], name: "counter" });
    expect(await processes.call(pid, 2)).toBe(42);
    expect(await processes.call("counter", 1)).toBe(43);
    expect(pid.home.slot).not.toBe(probe.pid.home.slot);
    expect(await processes.processInfo(pid)).toMatchObject({ kind: "heavy", names: ["counter"] });
    expect(await probe.next(() => true)).toEqual({ from: "counter", args: 40 });
    expect(node.isolates()).toHaveLength(2);
    await processes.stop(pid);
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test("is killed in an endless loop, and the others go on meanwhile", async () => {
    const { processes } = node.beam;
    const counter = heavy({ module: SERVERS, export: "Counter" });
    const [looping, other] = [await processes.start(counter), await processes.start(counter)];
    probe.watch(looping);
    processes.cast(looping, "loop");
    expect(await processes.call(other, 1)).toBe(1);
    const lost = processes.call(looping, 1);
    lost.catch(() => {});
    processes.exit(looping, "please"); // nobody reads it
    processes.exit(looping, "kill");
    expect(await probe.down()).toMatchObject({ reason: "killed" });
    await expect(lost).rejects.toMatchObject({ code: "process_exited" });
    expect(await processes.call(other, 1)).toBe(2);
  });

  // A monitor is a request that stays open: what is larger than a window must pass behind it.
  test.each([1, 2, 12])("that is monitored is called with %d MiB", async (mebibytes) => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ module: SERVERS, export: "Counter" }));
    probe.watch(pid);
    expect(await processes.call(pid, 1)).toBe(1);
    const bytes = new Uint8Array(mebibytes << 20);
    expect(await processes.call(pid, bytes)).toBe(bytes.length);
  });

  test("is not waited for by a call that was late or aborted", async () => {
    const { processes } = node.beam;
    const pid = await processes.start(heavy({ module: SERVERS, export: "Counter" }));
    await processes.call(pid, 1);
    const { callsWaiting } = node.metrics().isolate;
    processes.cast(pid, "loop");
    const aborting = new AbortController();
    const late = processes.call(pid, 1, { timeoutMs: 20 });
    const aborted = processes.call(pid, 1, { signal: aborting.signal });
    expect(node.metrics().isolate.callsWaiting).toBe(callsWaiting + 2);
    aborting.abort();
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    await expect(late).rejects.toMatchObject({ code: "timeout" });
    expect(node.metrics().isolate.callsWaiting).toBe(callsWaiting);
    processes.exit(pid, "kill");
  });

  test("that uses up its heap ends alone, and its supervisor restarts it", async () => {
    const { processes, supervisors } = node.beam;
    const counter = heavy({ module: SERVERS, export: "Counter", heapMiB: 32 });
    const pid = await supervisors.start({ children: [{ id: "counter", start: counter }] });
    const [before] = await supervisors.whichChildren(pid);
    probe.watch(before!.pid!);
    processes.cast(before!.pid!, "hoard");
    const { reason } = await probe.next<{ reason: { code?: string } }>(() => true);
    expect(reason).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
    await expect
      .poll(async () => (await supervisors.whichChildren(pid))[0]?.restarts, { timeout: 20_000 })
      .toBe(1);
    const [after] = await supervisors.whichChildren(pid);
    expect(await processes.call(after!.pid!, 5)).toBe(5);
    await supervisors.stop(pid);
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test("ends by what its code throws outside of a handler", async () => {
    const pid = await node.beam.processes.start(heavy({ module: SERVERS, export: "Counter" }));
    probe.watch(pid);
    node.beam.processes.cast(pid, "throw later");
    const { reason } = await probe.down();
    expect(reason).toBeInstanceOf(Error);
    expect((reason as Error).message).toBe("thrown outside of a handler");
  });

  test("ends by process.exit, with the code as the reason", async () => {
    const pid = await node.beam.processes.start(heavy({ module: SERVERS, export: "Counter" }));
    probe.watch(pid);
    node.beam.processes.cast(pid, "exit 7");
    expect(await probe.down()).toMatchObject({ reason: { kind: "exitCode", code: 7 } });
  });

  test("that is stopped by its supervisor cleans up; one that loops is killed", async () => {
    const { processes, supervisors } = node.beam;
    const counter = heavy({ module: SERVERS, export: "Counter" });
    const pid = await supervisors.start({
      children: [
        { id: "loops", start: counter, shutdown: 100 },
        { id: "tidy", start: counter, args: [0, probe.pid], trapExit: true },
      ],
    });
    const [loops, tidy] = await supervisors.whichChildren(pid);
    probe.watch(loops!.pid!);
    processes.cast(loops!.pid!, "loop");
    expect(await processes.call(tidy!.pid!, 1)).toBe(1);
    await supervisors.stop(pid);
    await probe.next((message) => (message as { cleanedUp?: unknown }).cleanedUp === "shutdown");
    expect(await probe.down()).toMatchObject({ reason: "killed" });
  });

  test("can be started from another heavy process, and outlives it", async () => {
    const { processes } = node.beam;
    const first = await processes.start(heavy({ module: SERVERS, export: "Counter" }));
    const second = (await processes.call(first, "start another")) as Pid;
    expect(second.home.slot).not.toBe(first.home.slot);
    processes.exit(first, "kill");
    await processes.exitOf(first);
    expect(await processes.call(second, 3)).toBe(3);
  });
});

describe("what cannot be started", () => {
  test.each([
    [
      "a module that is not there",
      { module: new URL("./nowhere.mjs", import.meta.url) },
      /nowhere/,
    ],
    ["an export that is not there", { module: SERVERS, export: "Nothing" }, /Counter/],
    ["an init that throws", { module: SERVERS, export: "Broken" }, /not today/],
  ])("%s is told to the one who starts it", async (_what, options, message) => {
    await expect(node.beam.processes.start(heavy(options))).rejects.toMatchObject({
      message: expect.stringMatching(message),
    });
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test("a start that takes too long is given up", async () => {
    const slow = heavy({ module: SERVERS, export: "Slow", startTimeoutMs: 300 });
    await expect(node.beam.processes.start(slow)).rejects.toMatchObject({ code: "timeout" });
    await expect.poll(() => node.isolates().length).toBe(1);
  });

  test.each([
    [{ module: new URL("./server.ts", import.meta.url) }, /TypeScript/],
    [{ module: "./server.mjs" }, /relative/],
    [{ module: SERVERS, heapMiB: 1 }, /heapMiB/],
    [{ module: "" }, /module/],
  ])("%j is refused at once", (options, message) => {
    expect(() => heavy(options)).toThrow(
      expect.objectContaining({ code: "invalid_options", message: expect.stringMatching(message) }),
    );
  });
});
