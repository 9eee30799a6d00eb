import { native } from "../base/errors.ts";
import type { Arena } from "./arena.ts";
import { core } from "./native.ts";
import {
  CHANNEL_DEFAULTS,
  type FoundationOptions,
  nativeOverlays,
  type ResolvedOptions,
  resolveOptions,
  toNativeOptions,
} from "./options.ts";
import {
  findNode,
  lendArena,
  publishNode,
  type SharedNode,
  type SharedOverlay,
} from "./shared-runtime.ts";

/** Which node to attach to. */
export interface AttachOptions {
  /** Node name. Default: the one started last in this process. */
  readonly name?: string;
  /** Longest wait for the node to appear. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** What an isolate needs to be part of a node. */
export interface OpenedNode {
  readonly arena: Arena;
  readonly node: SharedNode;
  /** Whether this isolate polls the connections of a node with `io: "isolate"`. */
  readonly isPoller: boolean;
  /** Whether this isolate has started the node, and here. */
  readonly isStarter: boolean;
}

/** Starts a node; see `Foundation.start`. */
export async function startNode(options: FoundationOptions): Promise<OpenedNode> {
  const resolved = resolveOptions(options);
  const arena = lendArena(resolved.arenaBytesMax);
  const started = native(() => core.startNode(toNativeOptions(resolved), resolved.kernelCore));
  const node: SharedNode = {
    node: started.node,
    name: resolved.name,
    cluster: resolved.cluster,
    address: started.address,
    life: started.life,
    writabilityOffset: started.writabilityOffset,
    declaredChannels: started.channels,
    channelPriorities: started.channels.map(
      (name) => resolved.channels[name]?.priority ?? CHANNEL_DEFAULTS.priority,
    ),
    monotonicChannels: started.channels.map((name) => resolved.channels[name]?.monotonic === true),
    drainBudgetMs: resolved.drainBudgetMs,
    messageBytesMax: resolved.messageBytesMax,
    windowBytes: resolved.windowBytes,
    overlays: sharedOverlays(resolved),
  };
  publishNode(node);
  return { arena, node, isPoller: resolved.io === "isolate", isStarter: true };
}

function sharedOverlays(options: ResolvedOptions): readonly SharedOverlay[] | undefined {
  return nativeOverlays(options)?.map(({ name, channels, ...rest }) => {
    return { name, channels, options: rest };
  });
}

/** Finds a node of this process; see `Foundation.attach`. */
export async function findStarted({ name, timeoutMs }: AttachOptions): Promise<OpenedNode> {
  return { ...(await findNode(name, timeoutMs ?? 5_000)), isPoller: false, isStarter: false };
}
