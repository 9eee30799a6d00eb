import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes } from "./local-nodes.ts";
import { NodeProcess } from "./node-process.ts";

const OLD = "the old secret of this cluster, long enough";
const NEW = "the new secret of this cluster, long enough";

const nodes = new LocalNodes();
const processes: NodeProcess[] = [];
afterEach(async () => {
  await nodes.leaveAll();
  for (const one of processes.splice(0)) await one.kill();
});

test("a secret changes under traffic: nothing is lost, no link goes down", async () => {
  const names = ["alpha", "beta", "gamma"];
  for (const name of names) {
    const one = new NodeProcess(name);
    processes.push(one);
    const seeds = processes.length === 1 ? [] : [processes[0]!.address];
    await one.start({ secret: OLD, encrypt: true, seeds });
    await one.handle("sink", "count");
  }
  for (const one of processes) await one.ready(names.length);
  const messages = 60_000;
  const floods = processes.map((one, at) => {
    const to = { node: names[(at + 1) % names.length]!, name: "sink" };
    return one.flood({ to, messages, bytes: 256 });
  });
  for (const one of processes) await one.keys("add", NEW);
  for (const one of processes) await one.keys("use", NEW);
  // One that comes now is let in by the new secret, while the others have both.
  const late = new NodeProcess("late");
  processes.push(late);
  await late.start({ secret: NEW, encrypt: true, seeds: [processes[0]!.address] });
  await late.ready(names.length + 1);
  for (const one of processes.slice(0, 3)) await one.keys("remove", OLD);
  await Promise.all(floods);
  for (const one of processes.slice(0, 3)) {
    await expect.poll(async () => (await one.seen("sink")).messages).toBe(messages);
    expect((await one.seen("sink")).misordered).toBe(0);
    expect(await one.metrics()).toMatchObject({ linksLost: 0, sealFailures: 0 });
    expect(await one.keys("list", "")).toHaveLength(1);
  }
  const stale = await nodes.start({ name: "stale", secret: OLD });
  await expect(stale.join(processes[0]!.address)).rejects.toMatchObject({ code: "auth_failed" });
  const refused = (await processes[0]!.metrics()).handshakesFailed["auth_failed"];
  expect(refused).toBeGreaterThanOrEqual(1);
});

describe("keys of a node", () => {
  test("are shown by fingerprints alone", async () => {
    const node = await nodes.start({ name: "keeper", secrets: [OLD, NEW] });
    const [old, next] = node.keys.list();
    expect(node.keys.list()).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}$/),
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ]);
    node.keys.use(next!);
    expect(node.keys.list()).toEqual([next, old]);
    node.keys.remove(OLD);
    expect(node.keys.list()).toEqual([next]);
    expect(node.keys.add(Buffer.from(OLD))).toBe(old);
  });

  test("are refused with a reason, and never named by their secret", async () => {
    const node = await nodes.start({ name: "keeper", secret: OLD });
    const code = (code: string): unknown => expect.objectContaining({ code });
    expect(() => node.keys.use(NEW)).toThrow(code("unknown_key"));
    expect(() => node.keys.remove(OLD)).toThrow(code("key_in_use"));
    expect(() => node.keys.add("short")).toThrow(code("invalid_options"));
    for (let at = 1; at < 8; at++) node.keys.add(`${NEW} ${at}`);
    expect(() => node.keys.add(`${NEW} 8`)).toThrow(code("too_many_keys"));
    expect(() => node.keys.use(NEW)).not.toThrow(NEW);
    const open = await nodes.start({ name: "open" });
    expect(() => open.keys.add(NEW)).toThrow(code("invalid_options"));
  });
});
