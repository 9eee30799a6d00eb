import { CircuitState, circuitBreaker, handleAll, type IBreaker } from "cockatiel";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import type { BreakerStatus } from "../../ts/services/infrastructure/breaker/breaker.ts";
import { CircuitBreakers } from "../../ts/services/infrastructure/breaker/circuit-breakers.ts";
import { NO_TELEMETRY } from "../../ts/services/sinks.ts";

interface Step {
  readonly kind: "success" | "failure" | "wait" | "reset";
  readonly ms: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("success", "failure", "failure", "wait", "reset" as const),
  ms: fc.integer({ min: 1, max: 400 }),
});
const steps = fc.array(step, { maxLength: 60 });
const tolerances = fc.integer({ min: 0, max: 6 });

/** What a breaker has to do, written down as the rule says it and not as it is done. */
class Rule {
  readonly #tolerance: number;
  readonly #windowMs: number;
  readonly #refreshMs: number;
  #failedMs: number[] = [];
  #openedMs = Number.NEGATIVE_INFINITY;

  constructor(tolerance: number, windowMs: number, refreshMs: number) {
    [this.#tolerance, this.#windowMs, this.#refreshMs] = [tolerance, windowMs, refreshMs];
  }

  isOpen(nowMs: number): boolean {
    return nowMs - this.#openedMs < this.#refreshMs;
  }

  fail(nowMs: number): void {
    this.#failedMs.push(nowMs);
    const isRecent = (ms: number): boolean => nowMs - ms < this.#windowMs;
    const count = this.#failedMs.filter((ms) => ms >= this.#since && isRecent(ms)).length;
    if (count <= this.#tolerance) return;
    this.#openedMs = nowMs;
    this.#failedMs = [];
  }

  reset(): void {
    this.#failedMs = [];
    this.#openedMs = Number.NEGATIVE_INFINITY;
  }

  get #since(): number {
    return this.#openedMs + this.#refreshMs;
  }
}

function start(...names: readonly [string, number][]) {
  const clock = new ManualClock();
  const breakers = new CircuitBreakers(clock, NO_TELEMETRY);
  for (const [name, tolerance] of names) {
    breakers.startFuseInstance(name, { tolerance, windowMs: 500, refreshMs: 300 });
  }
  return { clock, breakers };
}

function call(breakers: CircuitBreakers, name: string, kind: "success" | "failure"): string {
  try {
    return breakers.execute(name, () => {
      if (kind === "failure") throw new Error("boom");
      return "answered";
    });
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function run(breakers: CircuitBreakers, clock: ManualClock, name: string, step: Step): string {
  if (step.kind === "wait") clock.advance(step.ms);
  else if (step.kind === "reset") breakers.reset(name);
  else return call(breakers, name, step.kind);
  return "";
}

describe("a circuit breaker", () => {
  test("does what the rule says, whatever happens to it [F106 F107 F108]", () => {
    fc.assert(
      fc.property(tolerances, steps, (tolerance, steps) => {
        const { clock, breakers } = start(["db", tolerance]);
        const rule = new Rule(tolerance, 500, 300);
        for (const step of steps) {
          const isOpen = rule.isOpen(clock.now());
          expect(breakers.getStatus("db")).toBe(isOpen ? "open" : "closed");
          const answer = run(breakers, clock, "db", step);
          if (step.kind === "reset") rule.reset();
          if (step.kind === "wait" || step.kind === "reset") continue;
          if (isOpen) expect(answer).toBe("circuit_breaker_blown");
          else if (step.kind === "success") expect(answer).toBe("answered");
          else {
            expect(answer).toBe("protected_operation_failed");
            rule.fail(clock.now());
          }
        }
      }),
    );
  });

  test("is as if it were alone [F109]", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.boolean(), { minLength: 1 }), (steps, turns) => {
        const both = start(["a", 2], ["b", 2]);
        const alone = start(["a", 2]);
        steps.forEach((step, index) => {
          const isMine = step.kind === "wait" || turns[index % turns.length] === true;
          const answer = run(both.breakers, both.clock, isMine ? "a" : "b", step);
          if (!isMine) return;
          expect(run(alone.breakers, alone.clock, "a", step)).toBe(answer);
          expect(both.breakers.getStatus("a")).toBe(alone.breakers.getStatus("a"));
        });
      }),
    );
  });

  test("counts every call once, in whatever order calls at a time end [F110 F111]", async () => {
    const ends = fc.array(fc.constantFrom("success", "failure" as const), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), tolerances, ends, async (scheduler, tolerance, ends) => {
        const { breakers } = start(["db", tolerance]);
        const calls = ends.map(async (end) =>
          breakers.execute("db", async () => {
            await scheduler.schedule(Promise.resolve());
            if (end === "failure") throw new Error("boom");
          }),
        );
        const settled = Promise.allSettled(calls);
        await scheduler.waitAll();
        await settled;
        const failed = ends.filter((end) => end === "failure").length;
        const report = breakers.getStatistics("db");
        expect(report).toMatchObject({ admitted: ends.length, failed, rejected: 0 });
        expect(report.succeeded).toBe(ends.length - failed);
        expect(report.status).toBe(failed > tolerance ? "open" : "closed");
        expect(report.opened).toBe(failed > tolerance ? 1 : 0);
      }),
    );
  });

  test("recovers after its time and not a moment sooner [F112]", () => {
    const times = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(tolerances, times, times, (tolerance, refreshMs, earlyMs) => {
        fc.pre(earlyMs < refreshMs);
        const clock = new ManualClock();
        const breakers = new CircuitBreakers(clock, NO_TELEMETRY);
        breakers.startFuseInstance("db", { tolerance, refreshMs });
        for (let i = 0; i <= tolerance; i++) call(breakers, "db", "failure");
        clock.advance(earlyMs);
        expect(breakers.getStatistics("db").opensInMs).toBe(refreshMs - earlyMs);
        expect(call(breakers, "db", "success")).toBe("circuit_breaker_blown");
        clock.advance(refreshMs - earlyMs);
        expect(call(breakers, "db", "success")).toBe("answered");
      }),
    );
  });

  test("opens with one failure more than it tolerates [F115]", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (tolerance) => {
        const { breakers } = start(["db", tolerance]);
        for (let i = 0; i < tolerance; i++) call(breakers, "db", "failure");
        expect(breakers.getStatus("db")).toBe("closed");
        call(breakers, "db", "failure");
        expect(breakers.getStatus("db")).toBe("open");
      }),
    );
  });

  test("counts whatever is thrown, and hands it on [F114]", () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        const { breakers } = start(["db", 0]);
        let error: unknown;
        try {
          breakers.execute("db", () => {
            throw thrown;
          });
        } catch (caught) {
          error = caught;
        }
        expect(error).toMatchObject({ code: "protected_operation_failed" });
        if (thrown !== undefined) expect((error as Error).cause).toBe(thrown);
        expect(breakers.getStatus("db")).toBe("open");
      }),
    );
  });

  test("refuses names and functions that are none, and stays as it was [F113]", () => {
    const noName = fc.anything().filter((value) => typeof value !== "string");
    const noFunction = fc.anything().filter((value) => typeof value !== "function");
    fc.assert(
      fc.property(noName, noFunction, (name, operation) => {
        const { breakers } = start(["db", 0]);
        const code = expect.objectContaining({ code: "invalid_input" });
        expect(() => breakers.execute(name as never, () => 1)).toThrow(code);
        expect(() => breakers.execute("db", operation as never)).toThrow(code);
        expect(breakers.getStatistics("db")).toMatchObject({ status: "closed", admitted: 0 });
      }),
    );
  });
});

describe("a half-open circuit breaker", () => {
  afterEach(() => vi.useRealTimers());

  const STATUS: Partial<Record<CircuitState, BreakerStatus>> = {
    [CircuitState.Closed]: "closed",
    [CircuitState.Open]: "open",
  };

  /** Opens as ours does: with more failures in the window than are borne. */
  class Window implements IBreaker {
    state: unknown;
    readonly #tolerance: number;
    #failedMs: number[] = [];

    constructor(tolerance: number) {
      this.#tolerance = tolerance;
    }

    success(state: CircuitState): void {
      if (state === CircuitState.HalfOpen) this.#failedMs = [];
    }

    failure(state: CircuitState): boolean {
      if (state !== CircuitState.Closed) return true;
      const nowMs = Date.now();
      this.#failedMs = [...this.#failedMs.filter((ms) => nowMs - ms < 500), nowMs];
      return this.#failedMs.length > this.#tolerance;
    }
  }

  test("does what cockatiel's does, one call after the other", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const noResets = steps.map((all) => all.filter(({ kind }) => kind !== "reset"));
    await fc.assert(
      fc.asyncProperty(tolerances, noResets, async (tolerance, steps) => {
        const clock = new ManualClock();
        const breakers = new CircuitBreakers(clock, NO_TELEMETRY);
        const options = { tolerance, windowMs: 500, refreshMs: 300, halfOpen: true };
        breakers.startFuseInstance("db", options);
        const breaker = new Window(tolerance);
        const theirs = circuitBreaker(handleAll, { halfOpenAfter: 300, breaker });
        for (const step of steps) {
          const answer = run(breakers, clock, "db", step);
          if (step.kind === "wait") {
            vi.setSystemTime(Date.now() + step.ms);
            continue;
          }
          const outcome = await theirs
            .execute(() => {
              if (step.kind === "failure") throw new Error("boom");
              return "answered";
            })
            .catch((error: Error) =>
              error.message === "boom" ? "protected_operation_failed" : "circuit_breaker_blown",
            );
          expect(answer).toBe(outcome);
          expect(breakers.getStatus("db")).toBe(STATUS[theirs.state]);
        }
      }),
    );
  });
});
