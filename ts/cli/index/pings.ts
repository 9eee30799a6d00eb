import { setMaxListeners } from "node:events";
import type { FoundationNode } from "../../index.ts";
import { HANDLERS } from "./messages.ts";
import { type LatencyFigures, latencyFigures } from "./statistics.ts";

/** How the control pings are sent while the bulk load runs. */
export interface PingOptions {
  /** Time between two pings to the same worker. Unit: ms. Shorter sees more and costs more. */
  readonly intervalMs: number;
  /** Longest wait for one answer. Unit: ms. Above the time of the largest parse. */
  readonly timeoutMs: number;
  /** Unanswered pings to one worker above which ticks are left out and counted. Unit: pings. */
  readonly outstandingMax: number;
  /** Samples kept; later ones are counted, not kept. Unit: samples. Eight bytes each. */
  readonly samplesMax: number;
}

/** A rate that shows stalls and is no load by itself. */
export const PING_DEFAULTS: PingOptions = Object.freeze({
  intervalMs: 20, // 50 a second and worker: visible in p99 after two seconds, invisible as load
  timeoutMs: 30_000, // the largest file that is accepted parses in about one second
  outstandingMax: 512, // ten seconds of a worker that does not answer
  samplesMax: 200_000, // over twenty minutes with three workers
});

/** Latencies of the control pings, and what happened to those without one. */
export interface PingFigures extends LatencyFigures {
  /** Pings that failed: the worker was gone, or did not answer in time. */
  readonly failed: number;
  /** Ticks left out, because too many pings to that worker were unanswered. */
  readonly leftOut: number;
}

/**
 * Small calls at a fixed rate, however slow the answers are: a ping is sent when its time has
 * come, not when the one before returned, so a stall shows in as many samples as it covers.
 */
export class ControlPings {
  readonly #node: FoundationNode;
  readonly #workers: () => readonly string[];
  readonly #options: PingOptions;
  readonly #stopped = new AbortController();
  readonly #outstanding = new Map<string, number>();
  readonly #samplesMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  #answered = 0;
  #failed = 0;
  #leftOut = 0;

  /** `workers` is asked on every tick, so a worker that is gone is not pinged any more. */
  constructor(
    node: FoundationNode,
    workers: () => readonly string[],
    options: PingOptions = PING_DEFAULTS,
  ) {
    this.#node = node;
    this.#workers = workers;
    this.#options = options;
    // Each unanswered ping listens to this signal, and there may be hundreds of them.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** Begins to ping; the timer does not keep the process alive. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#options.intervalMs);
    this.#timer.unref();
  }

  /** Ends the pings and gives up those in flight, which count as nothing. */
  stop(): PingFigures {
    clearInterval(this.#timer);
    this.#stopped.abort();
    const figures = latencyFigures(this.#samplesMs);
    return { ...figures, count: this.#answered, failed: this.#failed, leftOut: this.#leftOut };
  }

  #tick(): void {
    for (const worker of this.#workers()) {
      if ((this.#outstanding.get(worker) ?? 0) < this.#options.outstandingMax) {
        void this.#ping(worker);
      } else {
        this.#leftOut++;
      }
    }
  }

  async #ping(worker: string): Promise<void> {
    this.#outstanding.set(worker, (this.#outstanding.get(worker) ?? 0) + 1);
    const { signal } = this.#stopped;
    const sentAt = performance.now();
    try {
      const to = { node: worker, name: HANDLERS.ping };
      const options = { channel: "control", timeoutMs: this.#options.timeoutMs, signal };
      await this.#node.call(to, { sequence: this.#sequence++ }, options);
      if (signal.aborted) return;
      this.#answered++;
      if (this.#samplesMs.length < this.#options.samplesMax) {
        this.#samplesMs.push(performance.now() - sentAt);
      }
    } catch {
      // Whatever the reason, this ping has no answer; the run itself sees to lost workers.
      if (!signal.aborted) this.#failed++;
    } finally {
      this.#outstanding.set(worker, (this.#outstanding.get(worker) ?? 1) - 1);
    }
  }
}
