import { TypedEvents } from "../base/typed-events.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { CrashWarnings } from "./crash-warnings.ts";
import { Distribution } from "./distribution.ts";
import { Factories } from "./factories.ts";
import { HeavyHost } from "./heavy-host.ts";
import type { HeavyPoolPlan } from "./heavy-pool.ts";
import type { ProcessEvents } from "./processes.ts";
import { ProcessRuntime } from "./runtime.ts";
import { Watchdog } from "./watchdog.ts";

/** What the processes of an isolate have to know of it. */
export interface BeamPlace {
  /** Time that processes get before timers and I/O do. Unit: ms. */
  readonly drainBudgetMs: number;
  readonly isRoot: boolean;
  /** Number of the node in this process. */
  readonly id: number;
  /** Isolates that it keeps ready, where it is the root. */
  readonly heavyPool?: HeavyPoolPlan | undefined;
}

/**
 * What processes of an isolate live on, and nothing more: all that the isolate of a heavy process
 * loads.
 */
export class ProcessRoom {
  readonly runtime: ProcessRuntime;
  readonly distribution: Distribution;
  readonly factories: Factories;
  readonly events = new TypedEvents<ProcessEvents>();
  /** That of the node, in the isolate that started it. */
  readonly watchdog: Watchdog | undefined;
  readonly #host: HeavyHost;

  /** `isRoot`: this isolate has started the node. */
  constructor(node: ClusterNode, { drainBudgetMs, isRoot, id, heavyPool }: BeamPlace) {
    const home = Object.freeze({ node: node.name, life: node.life, ...node.place });
    const warnings = new CrashWarnings();
    this.runtime = new ProcessRuntime(home, drainBudgetMs, (report) => {
      if (this.events.isHeard("crashed")) this.events.emit("crashed", report);
      else warnings.warn(report);
    });
    this.distribution = new Distribution(node, this.runtime);
    this.watchdog = isRoot ? new Watchdog({ name: node.name, id }) : undefined;
    this.#host = new HeavyHost(node, this.watchdog, heavyPool);
    this.runtime.connect(this.distribution, this.#host);
    this.factories = new Factories(node, this.runtime);
    node.onClosed(() => this.close());
  }

  /** Ends all processes of this isolate, and tells those that are tied to them: it leaves. */
  close(): void {
    this.runtime.close("shutdown");
    this.distribution.close();
    this.#host.close();
    this.watchdog?.close();
  }
}
