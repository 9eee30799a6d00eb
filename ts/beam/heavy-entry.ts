/** Entry of the isolate of a heavy process: joins the node, starts the process, ends with it. */
import { parentPort, workerData } from "node:worker_threads";
import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import { ClusterNode } from "../kernel/node.ts";
import { findStarted } from "../kernel/opened-node.ts";
import { decodePacked, encodeValue } from "../kernel/values.ts";
import type { HeavyEnd, HeavyNotice, HeavyOrder } from "./heavy-host.ts";
import { ProcessRoom } from "./process-room.ts";
import { describeReason, type ExitReason } from "./signals.ts";
import { bodyOf, importStartable } from "./startable.ts";
import { stayGuarded } from "./watchdog.ts";

async function begin({
  node: name,
  given,
  options,
  guard,
  ...order
}: HeavyOrder): Promise<HeavyNotice> {
  const start = await importStartable(order.module, order.export);
  const opened = await findStarted({ name });
  const node = new ClusterNode(opened);
  if (guard !== undefined) stayGuarded(guard, node.place);
  const { node: id, drainBudgetMs } = opened.node;
  const room = new ProcessRoom(node, { id, drainBudgetMs, isRoot: false });
  const { runtime } = room;
  const [args, parent] = decodePacked(given) as [unknown[], Pid | undefined];
  const { body, label } = bodyOf(start, args, parent);
  const process = await runtime.start(body, { label, ...options });
  runtime.main = process;
  if (parent !== undefined) runtime.link(process, parent);
  runtime.watch(process.pid, ({ reason }) => {
    const end: HeavyEnd = { kind: "ended", reason: encodedReason(reason) };
    parentPort?.postMessage(end);
    // Its last answers are promises yet; they go out before the isolate lets go.
    setImmediate(() => {
      room.close();
      node.detach();
      globalThis.process.exit(0);
    });
  });
  return { kind: "started", pid: process.pid.toString() };
}

function encodedReason(reason: ExitReason): Uint8Array {
  try {
    return Uint8Array.from(encodeValue([reason]).bytes);
  } catch {
    return Uint8Array.from(encodeValue([describeReason(reason)]).bytes);
  }
}

async function main(): Promise<void> {
  let notice: HeavyNotice;
  try {
    notice = await begin(workerData as HeavyOrder);
  } catch (thrown) {
    const code = thrown instanceof FoundationError ? thrown.code : "init_failed";
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    notice = { kind: "failed", code, message };
  }
  parentPort?.postMessage(notice);
}

void main();
