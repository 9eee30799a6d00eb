import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { FoundationError } from "../base/errors.ts";
import { core, neededShim } from "../kernel/native.ts";
import { type IsolateLimits, type LimitExceeded, STALL_MS_MIN } from "./limits.ts";
import type { StallReport, WatchdogData, WatchdogNotice, WatchdogOrder } from "./watchdog-wire.ts";

const ENTRY = fileURLToPath(new URL("./watchdog-entry.js", import.meta.url));

/** When an event loop counts as stalled. */
export interface WatchOptions {
  /** Time without a poll of the event loop; at least 50. Unit: ms. */
  readonly stallMs: number;
}

/** An isolate under guard. */
export interface Guarded {
  /** For the isolate, which tells its place by it. */
  readonly port: MessagePort;
  /** Resolves with why the watchdog has ended it, if it has. For when it is gone. */
  readonly verdict: () => Promise<LimitExceeded | undefined>;
}

/** The watchdog of a node, as its root isolate holds it: a thread that starts when it is needed. */
export class Watchdog {
  readonly #node: string;
  readonly #listeners = new Map<number, (report: StallReport) => void>();
  readonly #asked = new Map<number, (verdict: LimitExceeded | undefined) => void>();
  #thread: Worker | undefined;
  #lastId = 0;
  #isClosed = false;

  constructor(node: string) {
    this.#node = node;
  }

  /**
   * Puts an isolate that is about to start under guard.
   *
   * @throws FoundationError `shim_missing`, `loop_watch_missing`, `node_left`
   */
  guard(limits: IsolateLimits): Guarded {
    if (limits.stallMs !== undefined) needLoopWatch();
    const { port1, port2 } = new MessageChannel();
    const id = ++this.#lastId;
    this.#tell({ kind: "guard", id, port: port1, limits }, [port1]);
    return { port: port2, verdict: async () => this.#verdictOf(id) };
  }

  /** See `Beam.watch`. */
  listen({ stallMs }: WatchOptions, listener: (report: StallReport) => void): () => void {
    if (!(stallMs >= STALL_MS_MIN)) {
      throw new FoundationError("invalid_options", `stallMs must be at least ${STALL_MS_MIN}`);
    }
    needLoopWatch();
    const id = ++this.#lastId;
    this.#tell({ kind: "listen", id, stallMs });
    this.#listeners.set(id, listener);
    return () => {
      if (this.#listeners.delete(id)) this.#thread?.postMessage({ kind: "unlisten", id });
    };
  }

  async #verdictOf(id: number): Promise<LimitExceeded | undefined> {
    if (this.#thread === undefined || this.#isClosed) return undefined;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#tell({ kind: "verdict", id });
    });
  }

  #tell(order: WatchdogOrder, transfer: MessagePort[] = []): void {
    if (this.#isClosed) {
      throw new FoundationError("node_left", `'${this.#node}' has left: nothing is watched`);
    }
    this.#thread ??= this.#start();
    this.#thread.postMessage(order, transfer);
  }

  /** What the thread throws is thrown here: limits that nobody keeps must not pass unseen. */
  #start(): Worker {
    neededShim();
    const workerData: WatchdogData = { node: this.#node };
    const thread = new Worker(ENTRY, { workerData });
    thread.unref();
    thread.on("message", (notice: WatchdogNotice) => {
      if (notice.kind === "stall") return this.#listeners.get(notice.id)?.(notice.report);
      this.#asked.get(notice.id)?.(notice.verdict);
      this.#asked.delete(notice.id);
    });
    thread.on("exit", () => {
      this.#thread = undefined;
      for (const resolve of this.#asked.values()) resolve(undefined);
      this.#asked.clear();
    });
    return thread;
  }

  /** The node leaves. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.clear();
    const order: WatchdogOrder = { kind: "close" };
    this.#thread?.postMessage(order);
  }
}

function needLoopWatch(): void {
  if (core.hasLoopWatch()) return;
  const text =
    "this Node does not show when its event loop polls; see capabilities().busyDetection";
  throw new FoundationError("loop_watch_missing", text);
}
