import {
  type Blueprint,
  type Down,
  FoundationError,
  type FoundationNode,
  type Pid,
  type ProcessBody,
  supervisor,
} from "../../index.ts";
import type { Collector } from "./collector.ts";
import { PARSER_FACTORY } from "./messages.ts";

/** What a crew works with, and whom it tells. */
export interface CrewParts {
  readonly node: FoundationNode;
  readonly collector: Collector;
  /** Feeds a worker until it has nothing more to get, or the signal comes. */
  readonly feed: (worker: string, signal: AbortSignal) => Promise<void>;
  /** A parser runs at this worker; it may get files. */
  readonly onUp: (worker: string) => void;
  /** The parser of this worker has ended; what it held is for others. */
  readonly onDown: (worker: string, reason: unknown) => void;
  /** The processes of this worker ended for good. */
  readonly onGivenUp: (worker: string) => void;
  /** The whole tree ended: nothing is collected any more. */
  readonly onCollapse: () => void;
}

/** Whether a supervisor ended the process, rather than a fault. */
export function isOrderedEnd(reason: unknown): boolean {
  return reason === "shutdown" || reason === "killed";
}

/** What was supervised in a run. Unit: processes, or their ends. */
export interface CrewFigures {
  /** Supervisors started: one of the run, and one for each worker. */
  readonly supervisors: number;
  /** Parsers started at workers, the restarted ones included. */
  readonly parsers: number;
  /** Feeders started, the restarted ones included. */
  readonly feeders: number;
  /** Collectors started, the restarted ones included. */
  readonly collectors: number;
  /** Parsers, feeders and collectors that were started in the place of one that ended. */
  readonly restarts: number;
  /** `DOWN` of a parser that ended by a fault while its node lived. */
  readonly parserCrashes: number;
  /** `DOWN` of a parser whose node was lost. */
  readonly nodeLosses: number;
}

/**
 * Restarts of one worker's processes before the worker is given up. A file that crashes the parser
 * costs two, and a folder of generated sources may hold several.
 */
const WORKER_INTENSITY = Object.freeze({ restartsMax: 32, withinMs: 5_000 });
/** Time for a node to start a parser; the node may be busy with a large file. Unit: ms. */
const SPAWN_TIMEOUT_MS = 30_000;

/**
 * The supervision tree of a run: a supervisor with the collector and, for each worker, a
 * supervisor of the parser at the worker's node and of the feeder here, which start and end
 * together.
 */
export class Crew {
  readonly #parts: CrewParts;
  readonly #root: Pid;
  readonly #gone = new Set<string>();
  /** Resolves when the `DOWN` of the worker's latest parser was told. */
  readonly #downs = new Map<string, Promise<void>>();
  readonly #starts = { supervisors: 1, parsers: 0, feeders: 0, collectors: 0 };
  #workers = 0;
  #parserCrashes = 0;
  #nodeLosses = 0;
  #isClosing = false;

  private constructor(parts: CrewParts, root: Pid) {
    this.#parts = parts;
    this.#root = root;
    parts.node.beam.processes.monitor(root, () => {
      if (!this.#isClosing) parts.onCollapse();
    });
  }

  /** Starts the supervisor of the run and the collector. */
  static async start(parts: CrewParts): Promise<Crew> {
    const { collector, node } = parts;
    const root = await node.beam.supervisors.start({ children: [], label: "index run" });
    const crew = new Crew(parts, root);
    const start: Blueprint = {
      label: "index collector",
      isSupervisor: false,
      make: () => {
        crew.#starts.collectors++;
        return collector;
      },
    };
    await node.beam.supervisors.startChild(root, { id: "collector", start });
    return crew;
  }

  /** Starts the parser and the feeder of a worker that has joined. */
  async add(worker: string): Promise<void> {
    const { node, onGivenUp } = this.#parts;
    this.#workers++;
    this.#starts.supervisors++;
    const start = supervisor({
      strategy: "oneForAll",
      intensity: WORKER_INTENSITY,
      children: [
        { id: "parser", startWith: () => this.#startParser(worker) },
        { id: "feeder", start: this.#feeder(worker), shutdown: "kill" },
      ],
    });
    const child = { id: worker, start, restart: "temporary" } as const;
    const pid = await node.beam.supervisors.startChild(this.#root, child);
    node.beam.processes.monitor(pid, () => {
      if (!this.#isClosing) onGivenUp(worker);
    });
  }

  /** No parser is started at this worker any more. */
  drop(worker: string): void {
    this.#gone.add(worker);
  }

  /** Ends all processes of the run that can be reached. */
  async stop(): Promise<void> {
    this.#isClosing = true;
    await this.#parts.node.beam.supervisors.stop(this.#root);
  }

  /** What was counted so far. */
  figures(): CrewFigures {
    const { parsers, feeders, collectors } = this.#starts;
    return {
      ...this.#starts,
      restarts: parsers + feeders + collectors - this.#first(),
      parserCrashes: this.#parserCrashes,
      nodeLosses: this.#nodeLosses,
    };
  }

  #first(): number {
    return 1 + this.#workers * 2;
  }

  async #startParser(worker: string): Promise<Pid> {
    const { node, onUp } = this.#parts;
    await this.#downs.get(worker);
    if (this.#gone.has(worker)) throw new FoundationError("noconnection", `${worker} is gone`);
    const options = { label: "index parser", timeoutMs: SPAWN_TIMEOUT_MS };
    const pid = await node.beam.processes.spawnOn(worker, PARSER_FACTORY, [], options);
    this.#starts.parsers++;
    onUp(worker);
    const down = new Promise<void>((resolve) => {
      node.beam.processes.monitor(pid, (told) => {
        this.#onDown(worker, told);
        resolve();
      });
    });
    this.#downs.set(worker, down);
    return pid;
  }

  #onDown(worker: string, { reason }: Down): void {
    if (this.#isClosing) return;
    if (reason === "noconnection") this.#nodeLosses++;
    else if (!isOrderedEnd(reason)) this.#parserCrashes++;
    this.#parts.onDown(worker, reason);
  }

  #feeder(worker: string): Blueprint {
    const { node, feed } = this.#parts;
    const make = (): ProcessBody => {
      this.#starts.feeders++;
      const ended = new AbortController();
      return {
        init: (self) => {
          node.beam.processes.monitor(self.pid, () => ended.abort());
          self.send(self.pid, "feed");
        },
        // Once fed it stays, as what feeds the worker, until its supervisor ends it.
        handle: () => feed(worker, ended.signal),
      };
    };
    return { label: "index feeder", isSupervisor: false, make };
  }
}
