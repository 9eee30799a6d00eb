/** Entry of a scheduler: an isolate that works on items of jobs, its own first, then others'. */

import { parentPort, threadId, workerData } from "node:worker_threads";
import { isThenable } from "../../base/thenable.ts";
import { thrownText } from "../../base/thrown-text.ts";
import { core } from "../../kernel/native.ts";
import { JobMemory } from "./job-memory.ts";
import type { JobOrder, Notice, Outcome, SchedulerOrder } from "./notices.ts";

/** Outcomes are held back at most this long; a message costs some 5 µs. Unit: ms. */
const TELL_AFTER_MS = 1;

const { scheduler, core: ownCore } = workerData as SchedulerOrder;
let work: Promise<void> = Promise.resolve();

function tell(notice: Notice): void {
  parentPort?.postMessage(notice);
}

/** Outcomes on their way to who gave the job. */
class Outcomes {
  readonly #job: number;
  #waiting: Outcome[] = [];
  #toldMs = performance.now();
  /** Times that it took others' work and has not told of. */
  #steals = 0;

  constructor(job: number) {
    this.#job = job;
  }

  stole(): void {
    this.#steals++;
  }

  add(outcome: Outcome): void {
    this.#waiting.push(outcome);
    if (performance.now() - this.#toldMs >= TELL_AFTER_MS) this.flush();
  }

  flush(): void {
    this.#toldMs = performance.now();
    const outcomes = this.#waiting;
    if (outcomes.length === 0) return;
    this.#waiting = [];
    try {
      this.#tell(outcomes);
    } catch {
      for (const outcome of outcomes) this.#tellAlone(outcome);
    }
  }

  /** One of a batch could not be cloned: which one shows when each goes by itself. */
  #tellAlone([index, isDone, value]: Outcome): void {
    try {
      this.#tell([[index, isDone, value]]);
    } catch (thrown) {
      const text = isDone ? `the result cannot be cloned: ${thrownText(thrown)}` : String(value);
      this.#tell([[index, false, new Error(text)]]);
    }
  }

  #tell(outcomes: readonly Outcome[]): void {
    tell({ kind: "outcomes", job: this.#job, outcomes, steals: this.#steals });
    this.#steals = 0;
  }
}

async function run({ job, module, export: name, blocks }: JobOrder): Promise<void> {
  const memory = new JobMemory(blocks);
  if (memory.isGivenUp) return;
  const loaded = (await import(module)) as Record<string, unknown>;
  const fn = loaded[name];
  if (typeof fn !== "function") {
    const names = Object.keys(loaded).join(", ");
    throw new Error(`'${module}' exports no function '${name}' (it has: ${names})`);
  }
  const outcomes = new Outcomes(job);
  while (!memory.isGivenUp) {
    const index = memory.ranges.take(scheduler);
    if (index === undefined) {
      // What is told before the next wait is not lost with a scheduler that an item ends.
      outcomes.flush();
      if (!memory.ranges.steal(scheduler)) break;
      outcomes.stole();
      continue;
    }
    memory.begin(scheduler, index);
    // Who gives a job up looks at who is under way behind that, as here the other way round.
    if (memory.isGivenUp) {
      memory.finish(scheduler);
      break;
    }
    try {
      const result: unknown = fn(memory.item(index), index);
      outcomes.add([index, true, isThenable(result) ? await result : result]);
    } catch (thrown) {
      outcomes.add([index, false, thrown]);
    }
    memory.finish(scheduler);
  }
  outcomes.flush();
  tell({ kind: "idle", job });
}

parentPort?.on("message", (order: JobOrder) => {
  work = work.then(async () => {
    try {
      await run(order);
    } catch (thrown) {
      const message = thrownText(thrown);
      tell({ kind: "refused", job: order.job, message });
    }
  });
});
const isPinned = ownCore !== undefined && core.pinThread(ownCore);
tell({ kind: "ready", isPinned, threadId });
