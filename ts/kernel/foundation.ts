import { native } from "../base/errors.ts";
import { core } from "./native.ts";
import { FoundationNode } from "./node.ts";
import { type FoundationOptions, resolveOptions, toNativeOptions } from "./options.ts";
import { findNode, lendArena, publishNode, type SharedNode } from "./shared-runtime.ts";

/** Which node to attach to. */
export interface AttachOptions {
  /** Node name. Default: the one started last in this process. */
  readonly name?: string;
  /** Longest wait for the node to appear. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** Where nodes come from. */
export const Foundation = Object.freeze({
  /**
   * Starts a node on the main thread: it listens, dials its seeds and keeps its place in the
   * cluster on a thread of its own, whatever this event loop does.
   *
   * @throws FoundationError `invalid_options`, `insecure_bind`, `insecure_dial`,
   *   `listen_failed`, `not_root_isolate`, `arena_exhausted`, `io_unavailable`
   */
  async start(options: FoundationOptions = {}): Promise<FoundationNode> {
    const resolved = resolveOptions(options);
    const arena = lendArena(resolved.arenaBytesMax);
    const started = native(() => core.startNode(toNativeOptions(resolved), resolved.kernelCore));
    const node: SharedNode = {
      node: started.node,
      name: resolved.name,
      address: started.address,
      life: started.life,
      writabilityOffset: started.writabilityOffset,
      declaredChannels: started.channels,
      monotonicChannels: started.channels.map(
        (name) => resolved.channels[name]?.monotonic === true,
      ),
      drainBudgetMs: resolved.drainBudgetMs,
      messageBytesMax: resolved.messageBytesMax,
      windowBytes: resolved.windowBytes,
    };
    publishNode(node);
    return new FoundationNode(arena, node, resolved.io === "isolate");
  },

  /**
   * Joins this isolate, a worker or the main thread, to a node that the main thread of the process
   * started.
   *
   * @throws FoundationError `unknown_node` where no such node appears in time
   */
  async attach(options: AttachOptions = {}): Promise<FoundationNode> {
    const { arena, node } = await findNode(options.name, options.timeoutMs ?? 5_000);
    return new FoundationNode(arena, node, false);
  },
});
