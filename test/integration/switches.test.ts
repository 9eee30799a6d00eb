// Overlays of real processes that are switched again and again while all of them talk.
import { setTimeout as pause } from "node:timers/promises";
import type { OverlayOptions, OverlaySnapshot, SwitchOutcome } from "foundation-runtime";
import { afterEach, expect, test } from "vitest";
import { type Bulletins, type NodeProcess, NodeProcesses } from "./node-process.ts";
import { printedRandom } from "./seeded-random.ts";

const processes = new NodeProcesses();
afterEach(async () => processes.killAll());

const random = printedRandom("who asks for a switch, and when one of them is killed");

type Strategy = OverlayOptions["strategy"];
/**
 * What each overlay is, and what it is switched to round by round: several beside each other, since
 * one rests while its old links drain. In between none is a full mesh, so links come and go.
 */
const PLANS: Readonly<Record<string, readonly Strategy[]>> = {
  one: ["fullMesh", "hyparview", "clientServer", "hyparview"],
  two: ["fullMesh", "static", "hyparview", "clientServer"],
  three: ["hyparview", "clientServer", "static", "fullMesh"],
  four: ["clientServer", "hyparview", "static", "hyparview"],
  five: ["static", "hyparview", "clientServer", "static"],
  six: ["static", "clientServer", "hyparview", "fullMesh"],
  seven: ["clientServer", "static", "hyparview", "static"],
};
const OVERLAYS = Object.keys(PLANS);
const ROUNDS = 3;
/** A switch of idle nodes takes some 30 ms: the kill comes before, during or after it. Unit: ms. */
const KILL_WITHIN_MS = 40;
const NODES = 7;
/** Longest wait for what has to come; only a broken run takes as long. Unit: ms. */
const AT_LAST_MS = 30_000;

const LOOK = { timeout: AT_LAST_MS, interval: 100 };

/** Two servers, which are everybody's seeds, and clients: what each strategy can make links of. */
async function startNodes(): Promise<NodeProcess[]> {
  const all: NodeProcess[] = [];
  for (let at = 0; at < NODES; at++) {
    const role = at < 2 ? "server" : "client";
    const overlays = Object.entries(PLANS).map(([name, [strategy]]) => {
      return [name, { strategy, role, activeMax: 2 } as OverlayOptions];
    });
    const seeds = all.slice(0, 2).map(({ address }) => address);
    const options = { overlays: Object.fromEntries(overlays), seeds, linkIdleMs: 100 };
    all.push(await processes.start(`node-${at}`, { cluster: "switches", ...options }));
  }
  await Promise.all(all.map(async (node) => node.ready(NODES)));
  return all;
}

/** Makes each of these talk to all of those but itself. */
async function startTalk(by: readonly NodeProcess[], to: readonly NodeProcess[]): Promise<void> {
  const start = async (node: NodeProcess): Promise<void> => {
    const others = to.filter((other) => other !== node).map(({ name }) => name);
    await node.startBulletins(others, OVERLAYS);
  };
  await Promise.all(by.map(start));
}

async function overlayOf(node: NodeProcess, name: string): Promise<OverlaySnapshot> {
  const found = (await node.topology()).overlays.find((overlay) => overlay.name === name);
  if (found === undefined) throw new Error(`no overlay '${name}'`);
  return found;
}

/** Asks for a switch as soon as the last one is over everywhere. */
async function switchOn(by: NodeProcess, name: string, strategy: Strategy): Promise<SwitchOutcome> {
  let outcome: SwitchOutcome | undefined;
  await expect
    .poll(async () => {
      const { strategy: from, epoch } = await overlayOf(by, name);
      const to = { strategy } as OverlayOptions;
      outcome = await by.switchOverlay(name, from, to, { epoch });
      return outcome.outcome;
    }, LOOK)
    .not.toBe("refused");
  return outcome as SwitchOutcome;
}

/** Resolves once an overlay has one strategy and one epoch at all of these. */
async function agree(all: readonly NodeProcess[], name: string): Promise<void> {
  await expect
    .poll(async () => {
      const views = await Promise.all(all.map(async (node) => overlayOf(node, name)));
      return new Set(views.map((it) => `${it.strategy} ${it.epoch} ${it.switchingTo}`)).size;
    }, LOOK)
    .toBe(1);
}

/** What these nodes have not heard yet of what these nodes have said. */
function missing(all: readonly NodeProcess[], reports: readonly Bulletins[]): string[] {
  const found: string[] = [];
  for (const [at, speaker] of all.entries()) {
    for (const [by, hearer] of all.entries()) {
      if (at === by) continue;
      const [spoken, heard] = [reports[at] as Bulletins, reports[by] as Bulletins];
      const pair = `${speaker.name} at ${hearer.name}`;
      for (const overlay of OVERLAYS) {
        const [said, count] = [spoken.said[overlay], heard.heard[overlay]?.[speaker.name]?.count];
        if (said !== count) found.push(`${overlay} of ${pair}: ${count} of ${said}`);
      }
      const [sent, told] = [spoken.accepted[hearer.name], heard.told[speaker.name]?.next];
      if (sent !== told) found.push(`messages of ${pair}: ${told} of ${sent}`);
    }
  }
  return found;
}

async function reportsOf(all: readonly NodeProcess[]): Promise<Bulletins[]> {
  return Promise.all(all.map(async (node) => node.bulletins()));
}

/** What one question came to; that its node is killed over it is no failure. */
async function askedOf(
  by: NodeProcess,
  { name, strategy: from, epoch }: OverlaySnapshot,
  strategy: Strategy,
): Promise<unknown> {
  const to = { strategy } as OverlayOptions;
  return by.switchOverlay(name, from, to, { epoch }).catch(() => undefined);
}

/** A node asks for a switch and is killed over that: what becomes of it is for the others. */
async function killAmidSwitch(
  victim: NodeProcess,
  _others: unknown,
  name: string,
  strategy: Strategy,
): Promise<void> {
  const asked = askedOf(victim, await overlayOf(victim, name), strategy);
  await pause(random.below(KILL_WITHIN_MS));
  await victim.kill();
  await asked;
}

/** Resolves with true once a node takes part in a switch. */
async function isSwitching(node: NodeProcess, name: string): Promise<true> {
  while ((await overlayOf(node, name)).switchingTo === undefined) await pause(10);
  return true;
}

/** The same where one member is not ready before the asker is dead: nobody has heard a commit. */
async function killBeforeCommit(
  victim: NodeProcess,
  [witness, late]: readonly [NodeProcess, NodeProcess],
  name: string,
  strategy: Strategy,
): Promise<void> {
  let asked: Promise<unknown> = Promise.resolve();
  // As long as the last switch is ending it is refused at once, and nobody stands still for long.
  await expect
    .poll(async () => {
      const now = await overlayOf(victim, name);
      late.signal("SIGSTOP");
      asked = askedOf(victim, now, strategy);
      const isBegun = await Promise.race([isSwitching(witness, name), asked.then(() => false)]);
      if (isBegun) await victim.kill();
      late.signal("SIGCONT");
      return isBegun;
    }, LOOK)
    .toBe(true);
  await asked;
  await expect.poll(async () => (await overlayOf(witness, name)).switchingTo, LOOK).toBeUndefined();
  expect((await overlayOf(witness, name)).strategy).not.toBe(strategy);
}

/** In these rounds the last node is killed over the switch of the first overlay. */
const KILLS: Readonly<Record<number, typeof killBeforeCommit>> = {
  0: killAmidSwitch,
  1: killBeforeCommit,
};

/** One switch of one overlay, whoever dies over it; it is made in the end. */
async function switchInRound(round: number, name: string, all: NodeProcess[]): Promise<void> {
  const strategy = PLANS[name]?.[round + 1] as Strategy;
  const kill = name === OVERLAYS[0] ? KILLS[round] : undefined;
  if (kill !== undefined) {
    const victim = all.pop() as NodeProcess;
    // Nobody sends to it any more: that what is for it cannot be sent is no failure.
    await startTalk(all, all);
    await kill(victim, [all[0] as NodeProcess, all.at(-1) as NodeProcess], name, strategy);
    await agree(all, name);
    if ((await overlayOf(all[0] as NodeProcess, name)).strategy === strategy) return;
  }
  const by = all[random.below(all.length)] as NodeProcess;
  expect(await switchOn(by, name, strategy)).toMatchObject({ outcome: "switched" });
}

test("overlays are switched 21 times under load; nothing is lost or doubled", async () => {
  const all = await startNodes();
  await startTalk(all, []);
  await startTalk(all, all);
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(OVERLAYS.map(async (name) => switchInRound(round, name, all)));
    for (const name of OVERLAYS) await agree(all, name);
    const { overlays } = await (all[0] as NodeProcess).topology();
    const expected = Object.values(PLANS).map((plan) => plan[round + 1]);
    expect(overlays.map(({ strategy }) => strategy)).toEqual(expected);
  }
  await Promise.all(all.map(async (node) => node.stopBulletins()));
  await expect.poll(async () => missing(all, await reportsOf(all)), LOOK).toEqual([]);
  for (const { said, heard, accepted, told, failures } of await reportsOf(all)) {
    // Several of each between two switches, whatever else the machine has to do.
    for (const count of [...Object.values(said), ...Object.values(accepted)]) {
      expect(count).toBeGreaterThan(10 * ROUNDS);
    }
    expect(failures).toEqual([]);
    for (const senders of Object.values(heard)) {
      for (const { doubled } of Object.values(senders)) expect(doubled).toBe(0);
    }
    for (const { amiss } of Object.values(told)) expect(amiss).toBe(0);
  }
}, 170_000);
