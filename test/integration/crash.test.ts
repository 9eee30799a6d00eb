import { afterEach, expect, test } from "vitest";
import { allReady, LocalNodes, nextEventOf } from "./local-nodes.ts";
import { NodeProcesses } from "./node-process.ts";

const nodes = new LocalNodes();
const processes = new NodeProcesses();
afterEach(async () => {
  await processes.killAll();
  await nodes.leaveAll();
});

/** Silence counts only after so long that no test can mistake it for a closed connection. */
const PATIENT = { heartbeatMs: 10_000, silentAfterMs: 60_000 };

test("eight processes that start at once all find each other", async () => {
  const first = await processes.start("process-0");
  const options = { seeds: [first.address] };
  const names = Array.from({ length: 7 }, (_, index) => `process-${index + 1}`);
  const others = await Promise.all(names.map(async (name) => processes.start(name, options)));
  const all = [first, ...others];
  await Promise.all(all.map(async (process) => process.ready(8)));
  for (const process of all) {
    const members = await process.members();
    expect(members.map(({ name }) => name).sort()).toEqual([first.name, ...names]);
    await process.handle("echo", "echo");
  }
  const answers = all.map(async (process, index) => {
    const to = { node: all[(index + 1) % 8]!.name, name: "echo" };
    return process.call(to, index);
  });
  expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a killed process is down long before silence, and comes back as a later life", async () => {
  const [first, second] = await nodes.startCluster(["first", "second"], PATIENT);
  const options = { ...PATIENT, seeds: [first!.address] };
  const victim = await processes.start("victim", options);
  await allReady([first!, second!], 3);
  await victim.handle("stuck", "stuck");
  const to = { node: "victim", name: "stuck" };
  const pending = [first!, second!].map(async (node) => {
    const call = node.call(to, "never answered", { timeoutMs: 60_000 });
    return call.catch((error: unknown) => (error as { code: string }).code);
  });
  await expect.poll(async () => (await victim.seen("stuck")).messages).toBe(2);
  const downs = [first!, second!].map(async (node) => nextEventOf(node, "down", "victim", 2_000));
  await victim.kill();
  for (const { reason } of await Promise.all(downs)) {
    expect(["connection_closed", "connection_reset"]).toContain(reason);
  }
  expect(await Promise.all(pending)).toEqual(["noconnection", "noconnection"]);

  const ups = [first!, second!].map(async (node) => nextEventOf(node, "up", "victim"));
  const again = await processes.start("victim", options);
  for (const { life } of await Promise.all(ups)) {
    expect(life).toBe(again.life);
    expect(life > victim.life).toBe(true);
  }
  await again.handle("echo", "echo");
  expect(await second!.call({ node: "victim", name: "echo" }, "back")).toBe("back");
});

test("a killed seed that comes back at its address is found again by its cluster", async () => {
  const seed = await processes.start("seed", PATIENT);
  const options = { ...PATIENT, seeds: [seed.address] };
  const first = await nodes.start({ ...options, name: "first" });
  const second = await nodes.start({ ...options, name: "second" });
  await allReady([first, second], 3);
  const downs = [first, second].map(async (node) => nextEventOf(node, "down", "seed", 2_000));
  await seed.kill();
  await Promise.all(downs);
  const ups = [first, second].map(async (node) => nextEventOf(node, "up", "seed"));
  const again = await processes.start("seed", { ...PATIENT, listen: seed.address });
  for (const { life } of await Promise.all(ups)) expect(life).toBe(again.life);
  await again.ready(3);
});

test("a frozen process is down for its silence, and up again once it runs", async () => {
  const options = { heartbeatMs: 200, silentAfterMs: 800 };
  const observer = await nodes.start({ ...options, name: "observer" });
  const frozen = await processes.start("frozen", { ...options, seeds: [observer.address] });
  await observer.awaitReady({ minimumMembers: 2 });
  await frozen.handle("echo", "echo");
  const down = nextEventOf(observer, "down", "frozen", options.silentAfterMs + 2_000);
  const busy: string[] = [];
  observer.on("busy", ({ name }) => busy.push(name));
  const atMs = performance.now();
  frozen.signal("SIGSTOP");
  expect(await down).toEqual({ name: "frozen", reason: "silent" });
  // Heard from up to one heartbeat before it froze, and never silent for less than the limit.
  expect(performance.now() - atMs).toBeGreaterThan(options.silentAfterMs - 2 * options.heartbeatMs);
  const up = nextEventOf(observer, "up", "frozen");
  frozen.signal("SIGCONT");
  expect((await up).life).toBe(frozen.life);
  expect(await observer.call({ node: "frozen", name: "echo" }, "thawed")).toBe("thawed");
  expect(busy).toEqual([]);
});
