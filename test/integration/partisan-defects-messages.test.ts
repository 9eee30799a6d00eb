// What Partisan 5.0.3 is known to do wrong with messages, calls and monitors, and what does not
// happen here; the numbers are those of the table in docs/overlays.md.
import type { Socket } from "node:net";
import { type FoundationNode, isDown, type Pid, type Self } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { allReady, LocalNodes, nextEventOf, sendAll } from "./local-nodes.ts";
import { Probe } from "./probe.ts";
import { type Relay, TcpProxy } from "./tcp-proxy.ts";

const nodes = new LocalNodes();
const proxies: TcpProxy[] = [];
afterEach(async () => {
  await nodes.leaveAll();
  await Promise.all(proxies.splice(0).map(async (proxy) => proxy.close()));
});

test("#5: sixteen receivers over fifteen lanes each get their messages in order", async () => {
  const channels = { wide: { lanes: 15 } };
  const [sender, receiver] = await nodes.startCluster(["sender", "receiver"], { channels });
  const names = Array.from({ length: 16 }, (_, at) => `receiver-${at}`);
  const expected = Array.from({ length: 400 }, (_, number) => number);
  const received = new Map<string, number[]>(names.map((name) => [name, []]));
  let missing = names.length * expected.length;
  const isComplete = new Promise<void>((resolve) => {
    for (const name of names) {
      receiver!.handle(name, ({ number }: { number: number }) => {
        received.get(name)!.push(number);
        if (--missing === 0) resolve();
      });
    }
  });
  const flows = names.map(async (name) => {
    const messages = expected.map((number) => ({ number, padding: "x".repeat(number * 31) }));
    await sendAll(sender!, { node: "receiver", name }, messages, "wide");
  });
  await Promise.all(flows);
  await isComplete;
  for (const name of names) expect(received.get(name), name).toEqual(expected);
  expect(sender!.metrics().peers[0]!.lanes).toBeGreaterThan(4);
});

describe("calls", () => {
  test("#6: a hundred slow ones are under way at once, each with its own answer", async () => {
    const [caller, answerer] = await nodes.startCluster(["caller", "answerer"]);
    let begun = 0;
    let openAll = (): void => {};
    const allBegun = new Promise<void>((resolve) => {
      openAll = resolve;
    });
    // None is answered before the last one has begun: one at a time, none ever would be.
    answerer!.handle("slow", async (message) => {
      if (++begun === 100) openAll();
      await allBegun;
      return message;
    });
    const calls = Array.from({ length: 100 }, async (_, at) => {
      return caller!.call({ node: "answerer", name: "slow" }, at, { timeoutMs: 60_000 });
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, at) => at));
  });
});

/** Two nodes whose every connection, whoever dials it, can be cut. */
interface CutPair {
  sender: FoundationNode;
  receiver: FoundationNode;
  /** All connections swallow what comes after these many further bytes, until they are cut. */
  swallowAfter: (bytes: number) => void;
  cut: () => void;
}

async function startCutPair(): Promise<CutPair> {
  const sockets = new Set<Socket>();
  let passing = Number.POSITIVE_INFINITY;
  const relay: Relay = (from, to) => {
    sockets.add(from);
    from.on("data", (bytes) => {
      to.write(bytes.subarray(0, passing));
      passing = Math.max(passing - bytes.length, 0);
    });
    from.on("close", () => sockets.delete(from));
  };
  const listen = async (name: string): Promise<FoundationNode> => {
    const proxy = await TcpProxy.listen(relay);
    proxies.push(proxy);
    // Which port is free is known to the system alone: ask for one, then take it again.
    const probe = await nodes.start({ name: `${name}-probe` });
    proxy.forwardTo(probe.address);
    await probe.leave();
    return nodes.start({ name, listen: probe.address, advertise: proxy.address });
  };
  const [sender, receiver] = [await listen("sender"), await listen("receiver")];
  await sender.join(receiver.address);
  await allReady([sender, receiver], 2);
  const swallowAfter = (bytes: number): void => {
    passing = bytes;
  };
  const cut = (): void => {
    passing = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  };
  return { sender, receiver, swallowAfter, cut };
}

describe("a link that is cut in the middle of messages", () => {
  test("#9: loses some and doubles none, and says so of each call", async () => {
    const { sender, receiver, swallowAfter, cut } = await startCutPair();
    const received: number[] = [];
    let cutFrom = 0;
    receiver.handle("sink", ({ number }: { number: number }) => {
      received.push(number);
      if (number < cutFrom) return;
      cutFrom = Number.POSITIVE_INFINITY;
      cut();
    });
    const asked: number[] = [];
    receiver.handle("stuck", async (round: number) => {
      asked.push(round);
      return new Promise(() => {});
    });
    const outcomes: unknown[] = [];
    const padding = "x".repeat(4 << 10);
    let accepted = 0;
    for (let round = 0; round < 5; round++) {
      await allReady([sender, receiver], 2);
      const call = sender.call({ node: "receiver", name: "stuck" }, round, { timeoutMs: 60_000 });
      const ended = call.catch((error: unknown) => (error as { code?: string }).code);
      await expect.poll(() => asked.length).toBe(round + 1);
      const downs = [
        nextEventOf(sender, "down", "receiver"),
        nextEventOf(receiver, "down", "sender"),
      ];
      cutFrom = accepted + 10;
      swallowAfter(20 * padding.length);
      const to = { node: "receiver", name: "sink" };
      while (sender.send(to, { number: accepted, padding })) accepted++;
      await Promise.all(downs);
      outcomes.push(await ended);
    }
    await allReady([sender, receiver], 2);
    receiver.handle("echo", (message) => message);
    // Whatever was sent again would have come before this.
    expect(await sender.call({ node: "receiver", name: "echo" }, "over")).toBe("over");
    expect(outcomes).toEqual(Array(5).fill("noconnection"));
    expect(asked).toEqual([0, 1, 2, 3, 4]);
    expect(received.length).toBeGreaterThanOrEqual(50);
    expect(received.length).toBeLessThan(accepted);
    expect(received).toEqual([...new Set(received)].sort((one, other) => one - other));
  });
});

/** Offers processes that write down what they get. */
function offerRecorders(node: FoundationNode, got: unknown[]): void {
  node.beam.processes.on("crashed", () => {});
  node.beam.processes.offer("recorder", () => (message: unknown, self: Self) => {
    got.push(message);
    return self.pid;
  });
}

test("#14: what is for an earlier life reaches no later one; its monitor says DOWN", async () => {
  const here = await nodes.start({ name: "here" });
  const { processes } = here.beam;
  const probe = new Probe(here);
  const startThere = async (got: unknown[]): Promise<FoundationNode> => {
    const there = await nodes.start({ name: "there", seeds: [here.address] });
    offerRecorders(there, got);
    await allReady([here, there], 2);
    return there;
  };
  const [gotBefore, gotAfter]: [unknown[], unknown[]] = [[], []];
  const there = await startThere(gotBefore);
  const old = await processes.spawnOn("there", "recorder");
  probe.watch(old);
  await processes.call(old, "before");
  const isDown = nextEventOf(here, "down", "there");
  await there.leave();
  await isDown;
  expect(await probe.down()).toMatchObject({ kind: "DOWN" });
  await startThere(gotAfter);
  const heir = await processes.spawnOn("there", "recorder");
  // But for the life the two are one address.
  expect([heir.home.slot, heir.serial]).toEqual([old.home.slot, old.serial]);
  processes.send(old, "to the old one");
  await processes.call(heir, "to the heir");
  expect(gotAfter).toEqual(["to the heir"]);
  expect(gotBefore).toEqual(["before"]);
  expect(probe.got).toHaveLength(1);
});

/** Processes that monitor whom they are told to, until they are told to end. */
async function startWatchers(node: FoundationNode, count: number, pid: Pid): Promise<Pid[]> {
  const { processes } = node.beam;
  const watchers = Array.from({ length: count }, () => {
    return processes.spawn((watched: unknown, self: Self) => {
      if (isDown(watched)) return undefined;
      self.monitor(watched as Pid);
      return "monitored";
    });
  });
  await Promise.all(watchers.map(async (watcher) => processes.call(watcher, pid)));
  return watchers;
}

describe("monitors", () => {
  test("#17: leave nothing behind at either end, however they end", async () => {
    const [here, there] = await nodes.startCluster(["here", "there"]);
    offerRecorders(there!, []);
    const { processes } = here!.beam;
    const [subject, ending] = [
      await processes.spawnOn("there", "recorder"),
      await processes.spawnOn("there", "recorder"),
    ];
    const watchersOf = async (pid: Pid): Promise<number | undefined> => {
      return (await processes.processInfo(pid))?.watchers;
    };
    const stops = Array.from({ length: 50 }, () => processes.monitor(subject, () => {}));
    await expect.poll(async () => watchersOf(subject)).toBe(50);
    for (const stop of stops) stop();
    await expect.poll(async () => watchersOf(subject)).toBe(0);

    const watchers = await startWatchers(here!, 50, ending);
    await expect.poll(async () => watchersOf(ending)).toBe(50);
    processes.exit(ending, "kill");
    const held = async (): Promise<number> => {
      const infos = await Promise.all(watchers.map(async (pid) => processes.processInfo(pid)));
      return infos.reduce((sum, info) => sum + info!.monitors.length, 0);
    };
    await expect.poll(held).toBe(0);

    // Partisan does not watch who monitors: its monitors outlive him.
    const mortal = await startWatchers(here!, 50, subject);
    await expect.poll(async () => watchersOf(subject)).toBe(50);
    for (const pid of mortal) processes.exit(pid, "kill");
    await expect.poll(async () => watchersOf(subject)).toBe(0);
  });

  test("#17: of a node that is gone are gone with it", async () => {
    const [here, there] = await nodes.startCluster(["here", "there"]);
    offerRecorders(here!, []);
    const subject = await here!.beam.processes.spawnOn("here", "recorder");
    await startWatchers(there!, 20, subject);
    const counted = async (): Promise<number | undefined> => {
      return (await here!.beam.processes.processInfo(subject))?.watchers;
    };
    await expect.poll(counted).toBe(20);
    await there!.leave({ drainMs: 0 });
    await expect.poll(counted).toBe(0);
  });
});
