/** The watchdog's thread: sees stalls and memory also while the main thread does nothing at all. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { FoundationError, native } from "../base/errors.ts";
import { core, neededShim } from "../kernel/native.ts";
import { findStarted } from "../kernel/opened-node.ts";
import {
  type Interruptible,
  type IsolateLimits,
  type LimitExceeded,
  OffHeapWatch,
  StallWatch,
} from "./limits.ts";
import type { GuardedPlace, WatchdogData, WatchdogNotice, WatchdogOrder } from "./watchdog-wire.ts";

/** Time between two looks. What grows in it is above the limit. Unit: ms. */
const LOOK_EVERY_MS = 10;

type Listed = ReturnType<typeof core.listIsolates>[number];

const shim = neededShim();
const guards = new Map<number, Guard>();
const listeners = new Map<number, Listener>();
const verdicts = new Map<number, LimitExceeded>();

/** Limits of one isolate, which is ended above them. */
class Guard {
  readonly #limits: IsolateLimits;
  readonly #port: MessagePort;
  #stall: StallWatch | undefined;
  #offHeap: OffHeapWatch | undefined;
  key: string | undefined;

  constructor(port: MessagePort, limits: IsolateLimits) {
    this.#port = port;
    this.#limits = limits;
    port.on("message", ({ slot, generation }: GuardedPlace) => {
      this.key = `${slot}.${generation}`;
    });
  }

  look(listed: Listed, watched: number): LimitExceeded | undefined {
    const runningMs = listed.runningUs / 1_000;
    const { stallMs, offHeapBytes } = this.#limits;
    const isolate = interruptible(watched);
    if (offHeapBytes !== undefined) {
      const wake = (): void => this.#port.postMessage(undefined);
      this.#offHeap ??= new OffHeapWatch(offHeapBytes, isolate, wake);
      const externalBytes = this.#offHeap.look(runningMs);
      if (externalBytes !== undefined) {
        return { kind: "offHeap", limitBytes: offHeapBytes, externalBytes };
      }
    }
    if (stallMs === undefined) return undefined;
    this.#stall ??= new StallWatch(stallMs, isolate);
    const stall = this.#stall.look(runningMs);
    return stall && { kind: "stalled", stallMs, stack: stall.stack };
  }
}

/** Who is told of stalls of any isolate. */
class Listener {
  readonly #stallMs: number;
  #watches = new Map<number, StallWatch>();

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  look(id: number, list: readonly Listed[]): void {
    const watches = new Map<number, StallWatch>();
    for (const { slot, generation, thread, watched, runningUs } of list) {
      if (watched === undefined) continue;
      const watch =
        this.#watches.get(watched) ?? new StallWatch(this.#stallMs, interruptible(watched));
      watches.set(watched, watch);
      const found = watch.look(runningUs / 1_000);
      if (found === undefined) continue;
      tell({ kind: "stall", id, report: { slot, generation, threadId: thread, ...found } });
    }
    this.#watches = watches;
  }
}

function interruptible(watched: number): Interruptible {
  return {
    interrupt: () => shim.interrupt(watched),
    takeReport: (request) => shim.takeReport(watched, request),
  };
}

function tell(notice: WatchdogNotice): void {
  parentPort?.postMessage(notice);
}

/** The isolates of the node; of one that has left nothing is to be watched. */
function isolatesOf(node: number): Listed[] {
  try {
    return native(() => core.listIsolates(node));
  } catch (thrown) {
    if (thrown instanceof FoundationError && thrown.code === "unknown_node") process.exit(0);
    throw thrown;
  }
}

function look(node: number): void {
  const list = isolatesOf(node);
  for (const [id, guard] of guards) {
    const listed = list.find(({ slot, generation }) => guard.key === `${slot}.${generation}`);
    if (listed?.watched === undefined) continue;
    const verdict = guard.look(listed, listed.watched);
    if (verdict === undefined) continue;
    guards.delete(id);
    // Who asks for it may do so as soon as the isolate ends.
    if (shim.terminate(listed.watched)) verdicts.set(id, verdict);
  }
  for (const [id, listener] of listeners) listener.look(id, list);
}

function obey(order: WatchdogOrder): void {
  switch (order.kind) {
    case "guard":
      guards.set(order.id, new Guard(order.port, order.limits));
      return;
    case "verdict":
      tell({ kind: "verdict", id: order.id, verdict: verdicts.get(order.id) });
      verdicts.delete(order.id);
      guards.delete(order.id);
      return;
    case "listen":
      listeners.set(order.id, new Listener(order.stallMs));
      return;
    case "unlisten":
      listeners.delete(order.id);
      return;
    case "close":
      process.exit(0);
  }
}

/** Looks while there is something to look at, until the node is gone. */
async function main(): Promise<void> {
  const { node } = (await findStarted({ name: (workerData as WatchdogData).node })).node;
  let looking: NodeJS.Timeout | undefined;
  parentPort?.on("message", (order: WatchdogOrder) => {
    obey(order);
    const isNeeded = guards.size > 0 || listeners.size > 0;
    if (isNeeded) looking ??= setInterval(() => look(node), LOOK_EVERY_MS);
    else {
      clearInterval(looking);
      looking = undefined;
    }
  });
}

void main();
