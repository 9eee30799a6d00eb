import type { Clock } from "../../../base/clock.ts";
import { FoundationError } from "../../../base/errors.ts";
import { isThenable } from "../../../base/thenable.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import type { Metadata, TelemetrySink } from "../../sinks.ts";
import { isName, NAME_LENGTH_MAX } from "../checks.ts";
import { eventNames, ONE, withMetadata } from "../reports.ts";
import { Breaker, type BreakerCounts, type BreakerStatus, type Permit } from "./breaker.ts";
import {
  type BreakerOptions,
  type BreakerOutcome,
  type BreakerPlan,
  type CallResult,
  planBreaker,
} from "./breaker-options.ts";

/** Breakers at a time: one belongs to a service that is called, not to a request. */
const BREAKERS_MAX = 10_000;

const EVENTS = eventNames(
  ["foundation", "foundation", "infra", "circuit_breaker"],
  [
    "fuse_installed",
    "fuse_already_installed",
    "fuse_install_failed",
    "fuse_install_exception",
    "call_executed",
    "call_rejected",
    "state_change",
  ],
);

/** What is known of a breaker. */
export interface BreakerReport extends BreakerCounts {
  readonly status: BreakerStatus;
  /** Failures within the window. Unit: failures. */
  readonly failures: number;
  /** Failures that are borne. Unit: failures. */
  readonly tolerance: number;
  /** Until an open one lets calls through again. Unit: ms; 0 where it is not open. */
  readonly opensInMs: number;
}

/** How Foundation 1.x names what a breaker does: half open counts as `ok`, calls get through. */
export function originalStatus(status: BreakerStatus): "ok" | "blown" {
  return status === "open" ? "blown" : "ok";
}

/** A breaker that has let a call through and waits to hear what became of it. */
export interface Admission {
  readonly breaker: Breaker;
  readonly permit: Permit;
}

/** The circuit breakers of a node, by name. */
export class CircuitBreakers {
  readonly #clock: Clock;
  readonly #telemetry: TelemetrySink;
  readonly #breakers = new Map<string, Breaker>();

  constructor(clock: Clock, telemetry: TelemetrySink) {
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  /**
   * Starts a breaker. Where there is one of that name already, it stays as it is.
   *
   * @throws FoundationError `invalid_input` (5009), `circuit_breaker_exception` (5016) with options
   *   that cannot be used, `circuit_breaker_install_failed` (5015) with too many breakers
   */
  startFuseInstance(name: string, options: BreakerOptions = {}): void {
    this.#checkName(name, 5009);
    if (this.#breakers.has(name)) return this.#tell("fuse_already_installed", { name });
    const plan = this.#plan(name, options);
    if (this.#breakers.size >= BREAKERS_MAX) {
      const reason = `there are ${BREAKERS_MAX} circuit breakers already`;
      this.#tell("fuse_install_failed", { name, reason });
      throw new FoundationError("circuit_breaker_install_failed", reason, { context: { name } });
    }
    const onChange = (status: BreakerStatus): void =>
      this.#tell("state_change", { name, newState: status });
    this.#breakers.set(name, new Breaker(plan, onChange));
    const { tolerance, windowMs, refreshMs } = plan;
    this.#tell("fuse_installed", { name, tolerance, windowMs, refreshMs });
  }

  /** Whether there is a breaker of that name. */
  has(name: string): boolean {
    return this.#breakers.has(name);
  }

  /** How a breaker is set up; undefined where there is none of that name. */
  planOf(name: string): BreakerPlan | undefined {
    return this.#breakers.get(name)?.plan;
  }

  /** The names of all breakers, oldest first. */
  list(): string[] {
    return [...this.#breakers.keys()];
  }

  /**
   * Runs a function under a breaker. Synchronous where the function is; where it returns a promise,
   * the breaker hears of its end and the caller gets a promise too.
   *
   * @throws FoundationError `invalid_input` (5009); `circuit_breaker_not_found` (5005);
   *   `circuit_breaker_blown` (5004) where it is open, `context.retryAfterMs` tells for how long;
   *   `protected_operation_failed` (5003, or 5012 where what was thrown is no error);
   *   `circuit_breaker_exception` (5006) where its `classify` throws
   */
  execute<T>(name: string, operation: () => T, metadata?: Metadata): T {
    this.#checkName(name, 5009);
    if (typeof operation !== "function") {
      throw new FoundationError("invalid_input", "operation must be a function", {
        numericCode: 5009,
        context: { name },
      });
    }
    const admission = this.admit(name, metadata);
    const startMs = this.#clock.now();
    const end = (result: CallResult): void =>
      this.settle(name, admission, result, startMs, metadata);
    const fail = (thrown: unknown): FoundationError => {
      end({ ok: false, error: thrown });
      return operationFailed(name, thrown);
    };
    let value: T;
    try {
      value = operation();
    } catch (thrown) {
      throw fail(thrown);
    }
    if (isThenable(value)) {
      const settled = Promise.resolve(value).then(
        (result) => {
          end({ ok: true, value: result });
          return result;
        },
        (thrown: unknown) => {
          throw fail(thrown);
        },
      );
      return settled as T;
    }
    end({ ok: true, value });
    return value;
  }

  /**
   * Asks a breaker for leave to make one call, which has to be settled afterwards. `nowMs`: by its
   * clock, where the caller has just looked.
   *
   * @throws FoundationError `circuit_breaker_not_found` (5005), `circuit_breaker_blown` (5004)
   */
  admit(name: string, metadata?: Metadata, nowMs = this.#clock.now()): Admission {
    const breaker = this.#breakers.get(name);
    if (breaker === undefined) {
      this.#tell("call_rejected", withMetadata({ name, reason: "not_found" }, metadata));
      throw notFound(name, 5005);
    }
    const permit = breaker.admit(nowMs);
    if (permit !== undefined) return { breaker, permit };
    this.#tell("call_rejected", withMetadata({ name, reason: "circuit_blown" }, metadata));
    throw new FoundationError("circuit_breaker_blown", `the circuit breaker '${name}' is open`, {
      context: { name, retryAfterMs: breaker.opensInMs(nowMs) },
    });
  }

  /**
   * Tells a breaker what became of a call that it let through; `outcome` overrides what its
   * `classify` would say.
   *
   * @throws FoundationError `circuit_breaker_exception` (5006) where `classify` throws
   */
  settle(
    name: string,
    { breaker, permit }: Admission,
    result: CallResult,
    startMs: number,
    metadata?: Metadata,
    outcome?: BreakerOutcome,
  ): void {
    const nowMs = this.#clock.now();
    const durationMs = nowMs - startMs;
    let verdict: BreakerOutcome;
    try {
      verdict = outcome ?? outcomeOf(breaker, result);
    } catch (thrown) {
      breaker.settle(permit, "ignore", nowMs);
      this.#tell(
        "call_executed",
        withMetadata({ name, durationMs, status: "exception" }, metadata),
      );
      throw classifyFailed(name, thrown);
    }
    breaker.settle(permit, verdict, nowMs);
    const status = verdict === "failure" ? "failed" : verdict;
    this.#tell("call_executed", withMetadata({ name, durationMs, status }, metadata));
  }

  /**
   * Counts a failure that the breaker could not see: of a call that was made elsewhere.
   *
   * @throws FoundationError `invalid_input` (5009), `circuit_breaker_not_found` (5005)
   */
  melt(name: string): void {
    this.#find(name, 5009, 5005).melt(this.#clock.now());
  }

  /**
   * What a breaker does with calls now.
   *
   * @throws FoundationError `invalid_input` (5011), `circuit_breaker_not_found` (5007)
   */
  getStatus(name: string): BreakerStatus {
    return this.#find(name, 5011, 5007).status(this.#clock.now());
  }

  /**
   * What a breaker does with calls, and what it has seen so far.
   *
   * @throws FoundationError `invalid_input` (5011), `circuit_breaker_not_found` (5007)
   */
  getStatistics(name: string): BreakerReport {
    const breaker = this.#find(name, 5011, 5007);
    const nowMs = this.#clock.now();
    const status = breaker.status(nowMs);
    return {
      ...breaker.counts,
      status,
      failures: breaker.failures(nowMs),
      tolerance: breaker.plan.tolerance,
      opensInMs: breaker.opensInMs(nowMs),
    };
  }

  /**
   * Closes a breaker and forgets its failures.
   *
   * @throws FoundationError `invalid_input` (5011), `circuit_breaker_not_found` (5013)
   */
  reset(name: string): void {
    this.#find(name, 5011, 5013).reset();
    this.#tell("state_change", { name, newState: "reset" });
  }

  /**
   * Takes a breaker away. Calls under way end as they would have.
   *
   * @throws FoundationError `invalid_input` (5011), `circuit_breaker_not_found` (5013)
   */
  remove(name: string): void {
    this.#find(name, 5011, 5013);
    this.#breakers.delete(name);
  }

  #plan(name: string, options: BreakerOptions): ReturnType<typeof planBreaker> {
    try {
      return planBreaker(options);
    } catch (thrown) {
      const reason = thrownText(thrown);
      this.#tell("fuse_install_exception", { name, reason });
      throw thrown;
    }
  }

  #find(name: string, whenNoName: number, whenNone: number): Breaker {
    this.#checkName(name, whenNoName);
    const breaker = this.#breakers.get(name);
    if (breaker === undefined) throw notFound(name, whenNone);
    return breaker;
  }

  #checkName(name: string, numericCode: number): void {
    if (isName(name)) return;
    const text = `the name of a circuit breaker is a text of 1 to ${NAME_LENGTH_MAX} characters`;
    throw new FoundationError("invalid_input", text, { numericCode });
  }

  #tell(event: keyof typeof EVENTS, metadata: Metadata): void {
    this.#telemetry.execute(EVENTS[event], ONE, metadata);
  }
}

function outcomeOf({ plan }: Breaker, result: CallResult): BreakerOutcome {
  if (plan.classify === undefined) return result.ok ? "success" : "failure";
  const outcome = plan.classify(result);
  if (outcome === "success" || outcome === "failure" || outcome === "ignore") return outcome;
  throw new TypeError(`classify answered ${String(outcome)}`);
}

function notFound(name: string, numericCode: number): FoundationError {
  const text = `there is no circuit breaker '${name}'`;
  return new FoundationError("circuit_breaker_not_found", text, { numericCode, context: { name } });
}

function operationFailed(name: string, thrown: unknown): FoundationError {
  const isError = thrown instanceof Error;
  const text = `under the circuit breaker '${name}': ${thrownText(thrown)}`;
  const numericCode = isError ? 5003 : 5012;
  const options = { cause: thrown, numericCode, context: { name } };
  return new FoundationError("protected_operation_failed", text, options);
}

function classifyFailed(name: string, cause: unknown): FoundationError {
  const text = `the 'classify' of the circuit breaker '${name}' threw`;
  const options = { cause, numericCode: 5006, context: { name } };
  return new FoundationError("circuit_breaker_exception", text, options);
}
