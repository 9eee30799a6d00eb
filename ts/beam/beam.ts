import { FoundationError } from "../base/errors.ts";
import { TypedEvents, type Unsubscribe } from "../base/typed-events.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { CrashWarnings } from "./crash-warnings.ts";
import { Distribution } from "./distribution.ts";
import type { EcosystemOptions } from "./ecosystems/ecosystem-types.ts";
import { Ecosystems } from "./ecosystems/ecosystems.ts";
import { Factories } from "./factories.ts";
import { HeavyHost } from "./heavy-host.ts";
import { Memory } from "./memory/memory.ts";
import { Messages } from "./messages/messages.ts";
import { type ProcessEvents, Processes } from "./processes.ts";
import { ProcessRuntime } from "./runtime.ts";
import { Schedulers } from "./schedulers/schedulers.ts";
import { Supervisors } from "./supervisors.ts";
import { Tasks } from "./tasks.ts";
import { Watchdog, type WatchOptions } from "./watchdog.ts";
import type { StallReport } from "./watchdog-wire.ts";

/** What the processes of an isolate have to know of it. */
export interface BeamPlace {
  /** Time that processes get before timers and I/O do. Unit: ms. */
  readonly drainBudgetMs: number;
  readonly isRoot: boolean;
}

/** What the BEAM gives its programs, for one isolate of a node. */
export class Beam {
  /** Processes: spawn, messages, links, monitors, names. */
  readonly processes: Processes;
  /** Supervisors and their children. */
  readonly supervisors: Supervisors;
  /** Processes that do one thing and end. */
  readonly tasks: Tasks;
  /** What this isolate knows of its memory, and ways to bound and save it. */
  readonly memory: Memory;
  /** Processes that do the work that is sent to one pid. */
  readonly ecosystems: Ecosystems;
  /** Work on all cores, and on this one without holding others up. */
  readonly schedulers = new Schedulers();
  /** What sending costs, and what to do where a receiver is full. */
  readonly messages: Messages;
  readonly #runtime: ProcessRuntime;
  readonly #distribution: Distribution;
  readonly #host: HeavyHost;
  readonly #watchdog: Watchdog | undefined;

  /** `isRoot`: this isolate has started the node. */
  constructor(node: ClusterNode, { drainBudgetMs, isRoot }: BeamPlace) {
    const home = Object.freeze({ node: node.name, life: node.life, ...node.place });
    const events = new TypedEvents<ProcessEvents>();
    const warnings = new CrashWarnings();
    this.#runtime = new ProcessRuntime(home, drainBudgetMs, (report) => {
      if (events.isHeard("crashed")) events.emit("crashed", report);
      else warnings.warn(report);
    });
    this.#distribution = new Distribution(node, this.#runtime);
    this.#watchdog = isRoot ? new Watchdog(node.name) : undefined;
    this.#host = new HeavyHost(node, this.#watchdog);
    this.#runtime.connect(this.#distribution, this.#host);
    const factories = new Factories(node, this.#runtime);
    const spawnEcosystem = async (...args: [string, EcosystemOptions] | [EcosystemOptions]) => {
      return args.length === 1
        ? this.ecosystems.spawnEcosystem(args[0])
        : this.ecosystems.spawnEcosystem(...args);
    };
    this.processes = new Processes(
      this.#runtime,
      this.#distribution,
      factories,
      events,
      spawnEcosystem,
    );
    this.supervisors = new Supervisors(this.processes);
    this.tasks = new Tasks(this.#runtime);
    this.memory = new Memory(node);
    this.ecosystems = new Ecosystems(this.#runtime, this.supervisors);
    this.messages = new Messages(this.processes, home, node);
    node.onClosed(() => this.close());
  }

  /**
   * Calls `listener` once for each stall of any isolate of the node, the main thread included,
   * until the returned function is called. The stack is taken during the stall, by a thread of its
   * own; the listener runs on the main thread, hence after a stall of that one.
   *
   * @throws FoundationError `not_root_isolate`, `invalid_options`, `shim_missing`,
   *   `loop_watch_missing`, `node_left`
   */
  watch(options: WatchOptions, listener: (report: StallReport) => void): Unsubscribe {
    if (this.#watchdog !== undefined) return this.#watchdog.listen(options, listener);
    const text = "stalls are told to the isolate that has started the node";
    throw new FoundationError("not_root_isolate", text);
  }

  /** Ends all processes of this isolate, and tells those that are tied to them: it leaves. */
  close(): void {
    this.#runtime.close("shutdown");
    this.#distribution.close();
    this.#host.close();
    this.memory.close();
    this.#watchdog?.close();
    void this.schedulers.close();
    this.messages.close();
  }

  /** The part that other rooms of the runtime build on. */
  get runtime(): ProcessRuntime {
    return this.#runtime;
  }
}
