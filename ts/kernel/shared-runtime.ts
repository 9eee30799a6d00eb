import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
} from "node:worker_threads";
import { Wait } from "../base/deadline.ts";
import { FoundationError, native } from "../base/errors.ts";
import { Arena } from "./arena.ts";
import { core } from "./native.ts";

/** What an isolate has to know of a node to attach to it. */
export interface SharedNode {
  readonly node: number;
  readonly name: string;
  readonly cluster: string;
  readonly address: string;
  readonly life: string;
  readonly writabilityOffset: number;
  readonly declaredChannels: readonly string[];
  /** By channel number: its rank. */
  readonly channelPriorities: readonly number[];
  /** By channel number: whether a newer message of a key replaces a waiting one. */
  readonly monotonicChannels: readonly boolean[];
  readonly drainBudgetMs: number;
  readonly messageBytesMax: number;
  readonly windowBytes: number;
  /** Overlays in the order of their numbers, with their channels; undefined without the option. */
  readonly overlays: readonly SharedOverlay[] | undefined;
}

/** What isolates know of an overlay. */
export interface SharedOverlay {
  readonly name: string;
  readonly channels: readonly string[];
  /** Everything it was started with, defaults included. */
  readonly options: object;
}

interface SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly skippedBytes: number;
  readonly nodes: readonly SharedNode[];
}

const KEY = "foundation-runtime/shared";
/** Running workers ask the root isolate here; later ones inherit the environment data. */
const CHANNEL = "foundation-runtime/shared";
const ASK = "ask";

let arena: Arena | undefined;
let nodes: readonly SharedNode[] = [];
let answering: BroadcastChannel | undefined;

function share(): void {
  if (arena === undefined) return;
  const state: SharedState = { buffer: arena.buffer, skippedBytes: arena.skippedBytes, nodes };
  setEnvironmentData(KEY, state);
}

/** Reserves the arena on first use. Only the root isolate's memory outlives every worker. */
export function lendArena(bytesMax: number): Arena {
  if (arena !== undefined) return arena;
  if (!isMainThread) {
    throw new FoundationError(
      "not_root_isolate",
      "Foundation.start runs on the main thread; a worker uses Foundation.attach()",
    );
  }
  const buffer = new SharedArrayBuffer(bytesMax);
  const skippedBytes = native(() => core.lendArena(new Uint8Array(buffer)));
  arena = new Arena(buffer, skippedBytes);
  answering = new BroadcastChannel(CHANNEL);
  answering.unref();
  answering.onmessage = (event) => {
    if ((event as { data: unknown }).data === ASK && arena !== undefined) {
      answering?.postMessage({ buffer: arena.buffer, skippedBytes: arena.skippedBytes, nodes });
    }
  };
  share();
  return arena;
}

/** Makes a node known to the workers of this process. */
export function publishNode(node: SharedNode): void {
  nodes = [...nodes, node];
  share();
}

/** Forgets a node that left. */
export function withdrawNode(node: number): void {
  nodes = nodes.filter((entry) => entry.node !== node);
  share();
}

function find(state: SharedState | undefined, name: string | undefined): SharedNode | undefined {
  const matches = state?.nodes.filter((entry) => name === undefined || entry.name === name);
  return matches?.[matches.length - 1];
}

function adopt(state: SharedState): Arena {
  arena ??= new Arena(state.buffer, state.skippedBytes);
  return arena;
}

/**
 * Finds the arena and a node of this process from any of its isolates.
 *
 * @throws FoundationError `unknown_node` where no such node appears in time
 */
export async function findNode(
  name: string | undefined,
  timeoutMs: number,
): Promise<{ arena: Arena; node: SharedNode }> {
  const known = isMainThread
    ? ({ buffer: arena?.buffer, skippedBytes: arena?.skippedBytes, nodes } as SharedState)
    : (getEnvironmentData(KEY) as SharedState | undefined);
  const node = find(known, name);
  if (node !== undefined && known !== undefined) return { arena: adopt(known), node };
  const what = name === undefined ? "no node" : `no node named '${name}'`;
  const late = (): string => `${what} was started on the main thread of this process`;
  if (isMainThread) throw new FoundationError("unknown_node", late());
  const channel = new BroadcastChannel(CHANNEL);
  const repeat = setInterval(() => channel.postMessage(ASK), 50);
  const wait = new Wait<{ arena: Arena; node: SharedNode }>(
    { timeoutMs },
    "unknown_node",
    late,
    () => {
      clearInterval(repeat);
      channel.close();
    },
  );
  channel.onmessage = (event) => {
    const data = (event as { data: unknown }).data;
    if (data === ASK) return;
    const found = find(data as SharedState, name);
    if (found !== undefined) wait.resolve({ arena: adopt(data as SharedState), node: found });
  };
  channel.postMessage(ASK);
  return wait.promise;
}
