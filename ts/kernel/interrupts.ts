import { setTimeout as pause } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import type { IsolateReport, Shim } from "../../bindings/shim/contract.ts";
import { FoundationError, native } from "../base/errors.ts";
import type { Attachment } from "./attachment.ts";
import { core, neededShim } from "./native.ts";

/** How often an interrupted isolate is asked whether it has reported. Unit: ms. */
const LOOK_AGAIN_MS = 2;

/** An isolate (a thread with its own heap) that is attached to a node. */
export interface NodeIsolate {
  /** Its place in the node; a later isolate may get the same one. */
  readonly slot: number;
  /** Counts the isolates that had the slot. */
  readonly generation: number;
  /** `threadId` of its worker; 0 is the main thread. */
  readonly threadId: number;
  /** For how long its event loop has not polled. Unit: ms. 0 while it waits for something to do. */
  readonly runningMs: number;
}

/** Memory of an isolate. Unit: bytes. */
export interface IsolateHeap {
  readonly usedHeapBytes: number;
  readonly totalHeapBytes: number;
  readonly heapLimitBytes: number;
  /** Memory outside of the heap that its objects keep, array buffers included. */
  readonly externalBytes: number;
  readonly mallocedBytes: number;
}

/** How long an isolate may take to answer an interrupt. */
export interface InterruptOptions {
  /** Longest wait. Unit: ms. Default: 1,000. */
  readonly timeoutMs?: number;
}

type Listed = ReturnType<typeof core.listIsolates>[number];

function find(node: number, slot: number): { listed: Listed; watched: number; shim: Shim } {
  const shim = neededShim();
  const listed = native(() => core.listIsolates(node)).find((entry) => entry.slot === slot);
  if (listed?.watched === undefined) throw unknownIsolate(slot);
  return { listed, watched: listed.watched, shim };
}

function unknownIsolate(slot: number): FoundationError {
  return new FoundationError("unknown_isolate", `no isolate has slot ${slot} of the node`);
}

/** The isolates of a node. */
export function listIsolates(node: number): NodeIsolate[] {
  return native(() => core.listIsolates(node)).map(({ slot, generation, thread, runningUs }) => {
    return { slot, generation, threadId: thread, runningMs: runningUs / 1_000 };
  });
}

/** The stack of an isolate that does not come back to its event loop. */
export async function stackOf(
  node: number,
  slot: number,
  options: InterruptOptions,
): Promise<string> {
  const { listed } = find(node, slot);
  const isIdle = (): boolean => {
    const now = core.listIsolates(node).find((entry) => entry.slot === slot);
    return now === undefined || now.runningUs === 0 || now.runningUs < listed.runningUs;
  };
  const isOwn = listed.thread === threadId;
  if (isOwn || listed.runningUs === 0) throw notStalled(slot);
  const report = await interrupt(node, slot, options, () => {
    if (isIdle()) throw notStalled(slot);
  });
  return report.stack;
}

function notStalled(slot: number): FoundationError {
  return new FoundationError("not_stalled", `the event loop of slot ${slot} is not stalled`);
}

/** Memory of any isolate of a node, this one included. */
export async function heapOf(
  node: number,
  slot: number,
  options: InterruptOptions,
  attachment: Attachment,
): Promise<IsolateHeap> {
  const { listed } = find(node, slot);
  // An isolate that waits in its poll phase is interrupted only once something wakes it.
  core.ringIsolate(attachment.isolate, slot, listed.generation);
  const { stack: _stack, ...heap } = await interrupt(node, slot, options, () => {
    core.ringIsolate(attachment.isolate, slot, listed.generation);
  });
  return heap;
}

async function interrupt(
  node: number,
  slot: number,
  { timeoutMs = 1_000 }: InterruptOptions,
  onWait: () => void,
): Promise<IsolateReport> {
  const { watched, shim } = find(node, slot);
  const request = shim.interrupt(watched);
  if (request === 0) throw unknownIsolate(slot);
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const report = shim.takeReport(watched, request);
    if (report !== undefined) return report;
    if (performance.now() >= endMs) break;
    onWait();
    await pause(LOOK_AGAIN_MS);
  }
  const text = `slot ${slot} ran no JavaScript within ${timeoutMs} ms: it is in a native call`;
  throw new FoundationError("timeout", text);
}

/** Ends a worker from any isolate of the process. */
export function terminateIsolate(node: number, slot: number): void {
  const { listed, watched, shim } = find(node, slot);
  if (listed.thread === 0) {
    const text = "the main thread cannot be terminated: the process would go with it";
    throw new FoundationError("invalid_options", text);
  }
  if (!shim.terminate(watched)) throw unknownIsolate(slot);
}
