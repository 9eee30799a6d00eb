import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ChildOptions, FoundationError, GenServer, type Pid } from "../../dist/ts/index.js";
import { Scene, settled } from "../unit/beam-scene.ts";
import { type Kept, type Rules, type Spec, SupervisorModel } from "./supervisor-model.ts";

/** Programs. SUPERVISOR_MODEL_RUNS in the environment: so many of them. */
const RUNS = Number(process.env["SUPERVISOR_MODEL_RUNS"] ?? 600);
const BUDGET_MS = 1e9;

/** One thing that happens to a supervisor. Numbers choose among the children there are. */
type Step =
  | { readonly step: "ends"; readonly ends: readonly { which: number; how: How }[] }
  | { readonly step: "fails"; readonly which: number; readonly times: number }
  | { readonly step: "time"; readonly ms: number }
  | { readonly step: "terminateChild" | "restartChild" | "deleteChild"; readonly which: number }
  | { readonly step: "startChild"; readonly spec: Spec };
type How = "normal" | "shutdown" | "broken" | "killed";

const which = fc.nat({ max: 5 });
const spec = (ids: readonly string[]): fc.Arbitrary<Spec> =>
  fc.record({
    id: fc.constantFrom(...ids),
    restart: fc.constantFrom("permanent", "permanent", "transient", "temporary"),
    isTrapping: fc.boolean(),
    shutdown: fc.constantFrom("kill", "infinity", "infinity"),
  });
/** Also what ends exactly with a window of {@link Rules}. */
const ms = fc.constantFrom(1, 2, 100, 500, 1_000, 1_500, 2_999, 3_000);
const how = fc.constantFrom<How>("normal", "shutdown", "broken", "broken", "killed");
const ends = fc.array(fc.record({ which, how }), { minLength: 1, maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ step: fc.constant("ends" as const), ends }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant("fails" as const),
      which,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ step: fc.constant("time" as const), ms }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constantFrom("terminateChild", "restartChild", "deleteChild"),
      which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ step: fc.constant("startChild" as const), spec: spec(["b", "e", "f"]) }),
  },
);
const program = fc.record({
  rules: fc.record<Rules>({
    strategy: fc.constantFrom("oneForOne", "oneForAll", "restForOne"),
    restartsMax: fc.nat({ max: 6 }),
    withinMs: fc.constantFrom(1, 1_000, 3_000),
    backoff: fc.option(
      fc.record({
        firstMs: fc.constantFrom(1, 100, 500),
        maxMs: fc.constantFrom(500, 1_500),
        factor: fc.constantFrom(1, 2),
      }),
      { nil: undefined },
    ),
  }),
  specs: fc.uniqueArray(spec(["a", "b", "c", "d"]), {
    selector: ({ id }) => id,
    maxLength: 4,
    size: "max",
  }),
  failsFirst: fc.option(fc.constantFrom("a", "c"), { nil: undefined, freq: 15 }),
  steps: fc.array(step, { maxLength: 24, size: "max" }),
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A supervisor and the model beside it, at a clock that the test moves. */
class Twins {
  readonly #scene = new Scene(BUDGET_MS);
  readonly #model: SupervisorModel;
  readonly #rules: Rules;
  readonly #log: string[] = [];
  /** How many of the next starts of a child fail. */
  readonly #failures = new Map<string, number>();
  readonly #pids = new Map<string, Pid>();
  #pid!: Pid;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#model = new SupervisorModel(rules);
  }

  async run(specs: readonly Spec[], failsFirst: string | undefined, steps: readonly Step[]) {
    if (failsFirst !== undefined) this.#fail(failsFirst, 1);
    const isStarted = this.#model.begin(specs);
    const { strategy, restartsMax, withinMs, backoff } = this.#rules;
    const children = specs.map((one) => this.#child(one));
    const intensity = { restartsMax, withinMs };
    const options = { strategy, intensity, children, ...(backoff !== undefined && { backoff }) };
    const start = this.#scene.supervisors.start(options);
    if (isStarted) {
      this.#pid = await start;
      this.#watch(this.#pid, "end");
    } else await expect(start).rejects.toMatchObject({ code: "init_failed" });
    await this.#compare();
    for (const one of steps) {
      if (!this.#model.isAlive) return;
      await this.#take(one);
      await this.#compare();
    }
    if (!this.#model.isAlive) return;
    this.#model.end();
    await this.#scene.supervisors.stop(this.#pid);
    await this.#compare();
  }

  #fail(id: string, times: number): void {
    this.#model.failures.set(id, times);
    this.#failures.set(id, times);
  }

  #watch(pid: Pid, name: string): void {
    this.#scene.processes.monitor(pid, ({ reason }) => {
      this.#log.push(`${name} ${reason instanceof Error ? reason.message : String(reason)}`);
    });
  }

  #child({ id, isTrapping, restart, shutdown }: Spec): ChildOptions {
    const begin = (pid: Pid): void => {
      const failures = this.#failures.get(id) ?? 0;
      this.#failures.set(id, Math.max(0, failures - 1));
      this.#log.push(`${failures > 0 ? "!" : "+"}${id}`);
      if (failures > 0) throw new Error("does not start");
      this.#pids.set(id, pid);
      this.#watch(pid, `-${id}`);
    };
    class Child extends GenServer {
      override init(): void {
        begin(this.self.pid);
      }
      override handleCast(by: unknown): void {
        if (by === "broken") throw new Error("broken");
        this.stop(by);
      }
    }
    return { id, start: Child, trapExit: isTrapping, restart, shutdown };
  }

  async #take(one: Step): Promise<void> {
    const { supervisors } = this.#scene;
    const child = "which" in one ? this.#choose(one.which) : undefined;
    switch (one.step) {
      case "ends":
        return this.#end(one.ends);
      case "fails":
        if (child !== undefined) this.#fail(child.spec.id, one.times);
        return;
      case "time":
        this.#model.advance(one.ms, performance.now() + one.ms);
        vi.advanceTimersByTime(one.ms);
        return;
      case "startChild": {
        const refused = this.#model.startChild(one.spec);
        const start = supervisors.startChild(this.#pid, this.#child(one.spec));
        return expect(await start.then(() => undefined, codeOf)).toBe(refused);
      }
      default: {
        if (child === undefined) return;
        const refused = this.#model[one.step](child);
        const answer: Promise<unknown> = supervisors[one.step](this.#pid, child.spec.id);
        expect(await answer.then(() => undefined, codeOf)).toBe(refused);
      }
    }
  }

  #choose(number: number): Kept | undefined {
    const { children } = this.#model;
    return children[number % Math.max(1, children.length)];
  }

  /** All of them end before the supervisor has its turn; a kill takes effect before a cast. */
  #end(all: readonly { which: number; how: How }[]): void {
    const { processes } = this.#scene;
    const ends = new Map<Kept, How>();
    for (const one of all) {
      const child = this.#choose(one.which);
      if (child?.isRunning === true && !ends.has(child)) ends.set(child, one.how);
    }
    const killed = [...ends].filter(([, by]) => by === "killed");
    const told = [...ends].filter(([, by]) => by !== "killed");
    for (const [child, by] of told) processes.cast(this.#pidOf(child), by);
    for (const [child] of killed) processes.exit(this.#pidOf(child), "kill");
    for (const [child, by] of [...killed, ...told]) this.#model.die(child, by);
    this.#model.hear(
      [...killed, ...told].map(([child]) => child),
      performance.now(),
    );
  }

  #pidOf({ spec: { id } }: Kept): Pid {
    return this.#pids.get(id) as Pid;
  }

  async #compare(): Promise<void> {
    await settled();
    const { processes, supervisors } = this.#scene;
    expect(this.#log).toEqual(this.#model.log);
    const running = this.#model.children.filter(({ isRunning }) => isRunning);
    expect(processes.list()).toHaveLength(running.length + (this.#model.isAlive ? 1 : 0));
    if (!this.#model.isAlive) return;
    const children = await supervisors.whichChildren(this.#pid);
    expect(children.map(({ id, state, pid }) => [id, state, pid])).toEqual(
      this.#model.children.map(({ isRunning, timer, spec: { id } }) => {
        const state = timer === undefined ? "stopped" : "restarting";
        return isRunning ? [id, "running", this.#pids.get(id)] : [id, state, undefined];
      }),
    );
    expect(vi.getTimerCount()).toBe(
      this.#model.children.filter(({ timer }) => timer !== undefined).length,
    );
    for (const { spec: one } of running) {
      expect(processes.isAlive(this.#pids.get(one.id) as Pid)).toBe(true);
    }
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof FoundationError ? thrown.code : String(thrown);
}

test("a supervisor does what OTP says, whoever ends when", {
  timeout: 20_000 + 50 * RUNS,
}, async () => {
  const seed = randomInt(1, 2 ** 31);
  process.stdout.write(`supervisor-model: seed ${seed}\n`);
  const property = fc.asyncProperty(program, async ({ rules, specs, failsFirst, steps }) => {
    vi.clearAllTimers(); // of a program that failed
    await new Twins(rules).run(specs, failsFirst, steps);
  });
  await fc.assert(property, { numRuns: RUNS, seed });
});
