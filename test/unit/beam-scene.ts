import { TypedEvents } from "../../dist/ts/base/typed-events.js";
import { type ProcessEvents, Processes } from "../../dist/ts/beam/processes.js";
import { type CrashReport, ProcessRuntime } from "../../dist/ts/beam/runtime.js";
import { Supervisors } from "../../dist/ts/beam/supervisors.js";
import { Tasks } from "../../dist/ts/beam/tasks.js";

/** The processes of one isolate that is part of no node. */
export class Scene {
  readonly crashes: CrashReport[] = [];
  readonly runtime: ProcessRuntime;
  readonly processes: Processes;
  readonly supervisors: Supervisors;
  readonly tasks: Tasks;

  constructor(budgetMs = 8) {
    const home = { node: "n", life: "1", slot: 0, generation: 1 };
    this.runtime = new ProcessRuntime(home, budgetMs, (report) => this.crashes.push(report));
    // Nothing here leaves the isolate, so there is nobody to ask for that.
    const nobody = undefined as never;
    const events = new TypedEvents<ProcessEvents>();
    this.processes = new Processes(this.runtime, nobody, nobody, events, nobody);
    this.supervisors = new Supervisors(this.processes);
    this.tasks = new Tasks(this.runtime);
  }
}

/** Resolves behind everything that is ready to run now. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
