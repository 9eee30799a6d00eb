/** Entry of the isolate of a heavy process: joins the node, starts the process, ends with it. */

import { setImmediate as turn } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import { thrownText } from "../base/thrown-text.ts";
import { ClusterNode } from "../kernel/node.ts";
import { findStarted } from "../kernel/opened-node.ts";
import { decodePacked, encodeValue } from "../kernel/values.ts";
import type { HeavyBoot, HeavyEnd, HeavyNotice, HeavyOrder } from "./heavy-wire.ts";
import type { LightProcess } from "./process.ts";
import { ProcessRoom } from "./process-room.ts";
import type { SpawnOptions } from "./process-types.ts";
import { ProcessRuntime } from "./runtime.ts";
import { describeReason, type ExitReason } from "./signals.ts";
import { bodyOf, importStartable, type LightStartable } from "./startable.ts";
import { stayGuarded } from "./watchdog.ts";

const root = parentPort as MessagePort;

/** A module as small as one can be that starts a process. */
const REHEARSED = new URL("./heavy-rehearsed.js", import.meta.url).href;

/** What this isolate has of its node. */
interface Joined {
  readonly node: ClusterNode;
  readonly room: ProcessRoom;
}

async function join(name: string): Promise<Joined> {
  const opened = await findStarted({ name });
  const node = new ClusterNode(opened);
  const { node: id, drainBudgetMs } = opened.node;
  return { node, room: new ProcessRoom(node, { id, drainBudgetMs, isRoot: false }) };
}

async function begin({ node, room }: Joined, order: HeavyOrder): Promise<HeavyNotice> {
  const { given, options, guard } = order;
  if (guard !== undefined) stayGuarded(guard, node.place);
  const start = await importStartable(order.module, order.export);
  // What runs as the loop polls, as this may after the import, is not seen to be stalled.
  await turn();
  const { runtime } = room;
  const [process, parent] = await startIn(runtime, start, given, options);
  runtime.main = process;
  if (parent !== undefined) runtime.link(process, parent);
  runtime.watch(process.pid, ({ reason }) => {
    const end: HeavyEnd = { kind: "ended", reason: encodedReason(reason) };
    root.postMessage(end);
    // Its last answers are promises yet; they go out before the isolate lets go.
    setImmediate(() => {
      room.close();
      node.detach();
      globalThis.process.exit(0);
    });
  });
  return { kind: "started", pid: process.pid.toString() };
}

/** Starts a process, whose arguments and parent are encoded. */
async function startIn(
  runtime: ProcessRuntime,
  start: LightStartable,
  given: Uint8Array,
  options: SpawnOptions,
): Promise<[process: LightProcess, parent: Pid | undefined]> {
  const [args, parent] = decodePacked(given) as [unknown[], Pid | undefined];
  const { body, label } = bodyOf(start, args, parent);
  return [await runtime.start(body, { label, ...options }), parent];
}

/** This package, as the modules of its users name it. */
const PACKAGE: string = "foundation-runtime";

/** Does what an order will have it do, so that the order meets code that is compiled. */
async function rehearse({ runtime }: ProcessRoom): Promise<void> {
  // A bundler may have left the package without its name.
  await import(PACKAGE).catch(() => {});
  const apart = new ProcessRuntime(runtime.home, 1, () => {});
  const given = Uint8Array.from(encodeValue([[], undefined]).bytes);
  const start = await importStartable(REHEARSED, "rehearsed");
  const [process] = await startIn(apart, start, given, {});
  apart.watch(process.pid, () => {});
  await apart.call(process.pid, undefined);
  apart.close("normal");
}

function encodedReason(reason: ExitReason): Uint8Array {
  try {
    return Uint8Array.from(encodeValue([reason]).bytes);
  } catch {
    return Uint8Array.from(encodeValue([describeReason(reason)]).bytes);
  }
}

async function main(): Promise<void> {
  const { node, preload } = workerData as HeavyBoot;
  const ordered = new Promise<HeavyOrder>((resolve) => root.once("message", resolve));
  let notice: HeavyNotice;
  try {
    const joined = await join(node);
    if (preload !== undefined) {
      for (const module of preload) await import(module);
      await rehearse(joined.room);
      root.postMessage({ kind: "ready", ...joined.node.place } satisfies HeavyNotice);
    }
    notice = await begin(joined, await ordered);
  } catch (thrown) {
    const code = thrown instanceof FoundationError ? thrown.code : "init_failed";
    const message = thrownText(thrown);
    notice = { kind: "failed", code, message };
  }
  root.postMessage(notice);
}

void main();
