import type { Clock } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import { isThenable } from "../../../base/thenable.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import type { Measurements, Metadata, TelemetrySink } from "../../sinks.ts";
import type { CallResult } from "../breaker/breaker-options.ts";
import type { CircuitBreakers } from "../breaker/circuit-breakers.ts";
import type { ConfigLimits } from "../config-limits.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import { RATE_DEFAULTS, type RateRuleOptions } from "../limits/rate-rule.ts";
import {
  CHECKOUT_DEFAULTS,
  type ConnectionManager,
  type HeldWorker,
} from "../pools/connections.ts";
import { eventNames, ONE } from "../reports.ts";
import { type RetryAttempt, type RetryOptions, retry } from "../resilience/retry.ts";
import type { Limiter } from "../resilience/semaphores.ts";
import {
  type CallPlan,
  type CallRateOptions,
  type ProtectedCallOptions,
  planCall,
} from "./call-options.ts";
import type { Protections } from "./protections.ts";

/** What a protected function is given. */
export interface CallContext<Worker = unknown> extends RetryAttempt {
  /** The worker of `connectionPool`; undefined without one. */
  readonly worker: Worker;
  /** Aborts when nobody waits for the function any more: it took too long, or was called off. */
  readonly signal: AbortSignal;
}

/** What protected calls stand on. */
export interface ProtectedCallsParts {
  readonly clock: Clock;
  readonly telemetry: TelemetrySink;
  readonly limits: ConfigLimits;
  readonly breakers: CircuitBreakers;
  readonly limiter: RateLimiter;
  readonly pools: ConnectionManager;
  readonly protections: Protections;
  readonly bulkheads: Limiter;
}

const EVENTS = eventNames(
  ["foundation", "foundation", "infrastructure"],
  ["execute_start", "execute_stop", "execute_exception", "protection_triggered"],
);

/** Refusals that another attempt would meet, too, or make worse. */
const NOT_WORTH_ANOTHER: ReadonlySet<string> = new Set([
  "rate_limit_exceeded",
  "rate_limiter_exception",
  "validation_failed",
  "circuit_breaker_blown",
  "circuit_breaker_not_found",
  "circuit_breaker_exception",
  "pool_not_found",
  "pool_stopped",
  "too_many_waiting",
  "invalid_options",
  "aborted",
]);

/** Failures to get a worker that say something about the service behind it. */
const FAILURES_OF_THE_POOL: ReadonlySet<string> = new Set(["checkout_timeout", "worker_failed"]);

const ONCE: RetryAttempt = Object.freeze({ attempt: 1, progress: () => {} });

type Run<Worker, T> = (context: CallContext<Worker>) => T | Promise<T>;

/**
 * Runs functions behind their layers: retry (rate limit, breaker, bulkhead, pool, time limit,
 * function). Each attempt counts for the limit and for the breaker, for each is a request.
 */
export class ProtectedCalls {
  readonly #parts: ProtectedCallsParts;

  constructor(parts: ProtectedCallsParts) {
    this.#parts = parts;
  }

  /** Runs a function behind the layers that the options name. */
  async run<Worker, T>(
    key: string,
    options: ProtectedCallOptions,
    run: Run<Worker, T>,
  ): Promise<T> {
    const { clock } = this.#parts;
    const startMs = clock.now();
    this.#tell("execute_start", ONE, { protectionKey: key });
    try {
      const plan = this.#plan(key, options, run);
      const value =
        plan.retry === undefined
          ? await this.#attempt(key, plan, run, ONCE, startMs)
          : await this.#retry(key, plan, plan.retry, run);
      const durationMs = clock.now() - startMs;
      this.#tell("execute_stop", { durationMs }, { protectionKey: key, success: true });
      return value;
    } catch (thrown) {
      const durationMs = clock.now() - startMs;
      const { code: reason } = thrown as FoundationError;
      const metadata = { protectionKey: key, success: false, reason };
      this.#tell(
        reason === "exception" ? "execute_exception" : "execute_stop",
        { durationMs },
        metadata,
      );
      throw thrown;
    }
  }

  #plan(key: string, options: ProtectedCallOptions, run: unknown): CallPlan {
    if (typeof key !== "string") throw misuse("the key of a protection must be a text");
    if (typeof run !== "function") throw misuse("what is protected must be a function");
    return planCall(options);
  }

  async #retry<Worker, T>(
    key: string,
    plan: CallPlan,
    policy: RetryOptions,
    run: Run<Worker, T>,
  ): Promise<T> {
    const { clock } = this.#parts;
    const options = { retryOn: isWorthAnother, ...policy, clock, signal: plan.signal };
    const next = async (attempt: RetryAttempt): Promise<T> =>
      this.#attempt(key, plan, run, attempt, clock.now());
    return retry(next, options);
  }

  async #attempt<Worker, T>(
    key: string,
    plan: CallPlan,
    run: Run<Worker, T>,
    attempt: RetryAttempt,
    beginMs: number,
  ): Promise<T> {
    if (plan.signal?.aborted === true) throw abortError(plan.signal);
    const { breakers, clock, limits } = this.#parts;
    let startMs = beginMs;
    if (plan.rateLimiter !== undefined && limits.isRateLimiting) {
      const asked = this.#checkRate(key, plan.rateLimiter);
      if (asked !== undefined) {
        await asked;
        startMs = clock.now();
      }
    }
    const call = new Attempt(this.#parts, key, plan, attempt);
    const name = plan.circuitBreaker;
    if (name === undefined || !limits.isBreaking) {
      const isPooled = plan.connectionPool !== undefined;
      const timeoutMs = plan.timeoutMs ?? (isPooled ? CHECKOUT_DEFAULTS.timeoutMs : undefined);
      return call.run(run, timeoutMs, startMs);
    }
    const admission = this.#guard(key, "circuit_breaker", name, () =>
      breakers.admit(name, undefined, startMs),
    );
    const timeoutMs = plan.timeoutMs ?? limits.breaker.callTimeoutMs;
    let value: T;
    try {
      value = await call.run(run, timeoutMs, startMs);
    } catch (thrown) {
      const outcome = call.outcomeOf(thrown as FoundationError);
      const error = outcome === undefined ? call.thrown : thrown;
      breakers.settle(name, admission, { ok: false, error }, startMs, undefined, outcome);
      throw thrown;
    }
    breakers.settle(name, admission, { ok: true, value }, startMs);
    return value;
  }

  /** Rate limits are checked at once, so that a call which finds room waits for nothing. */
  #checkRate(
    key: string,
    { rule, id, shared, ...own }: CallRateOptions,
  ): Promise<void> | undefined {
    const { limiter } = this.#parts;
    const options = this.#rule(key, rule, own);
    if (shared !== true) {
      this.#guard(key, "rate_limit", rule, () => limiter.check(id, rule, options));
      return undefined;
    }
    return limiter.checkShared(id, rule, options).catch((thrown: unknown) => {
      this.#guard(key, "rate_limit", rule, () => {
        throw thrown;
      });
    });
  }

  /**
   * What the call says, else what was configured for its key, for its rule, or nothing: 100 / 60 s.
   */
  #rule(key: string, rule: string, own: RateRuleOptions): RateRuleOptions {
    const { limits, protections } = this.#parts;
    if (own.limit !== undefined && own.windowMs !== undefined) return own;
    const configured = protections.find(key)?.rateLimiter;
    const base =
      configured === undefined
        ? (limits.rate(rule) ?? RATE_DEFAULTS)
        : { limit: configured.limit, windowMs: configured.scaleMs };
    return { limit: base.limit, windowMs: base.windowMs, ...own };
  }

  #guard<T>(key: string, protectionType: string, name: string, check: () => T): T {
    try {
      return check();
    } catch (thrown) {
      const { code } = thrown as FoundationError;
      if (code === "rate_limit_exceeded" || code === "circuit_breaker_blown") {
        const metadata = { protectionKey: key, protectionType, name };
        this.#tell("protection_triggered", ONE, metadata);
      }
      throw thrown;
    }
  }

  #tell(event: keyof typeof EVENTS, measurements: Measurements, metadata: Metadata): void {
    this.#parts.telemetry.execute(EVENTS[event], measurements, metadata);
  }
}

class Context<Worker> implements CallContext<Worker> {
  readonly worker: Worker;
  readonly attempt: number;
  readonly progress: () => void;
  readonly #call: Attempt;

  constructor(call: Attempt, worker: Worker, { attempt, progress }: RetryAttempt) {
    this.worker = worker;
    this.attempt = attempt;
    this.progress = progress;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** One attempt, behind limit and breaker: bulkhead, pool, time limit and the function itself. */
class Attempt {
  /** What the function threw, as it threw it. */
  thrown: unknown;
  readonly #parts: ProtectedCallsParts;
  readonly #key: string;
  readonly #plan: CallPlan;
  readonly #attempt: RetryAttempt;
  #control: AbortController | undefined;
  #abandonedBy: FoundationError | undefined;
  #hasThrown = false;

  constructor(parts: ProtectedCallsParts, key: string, plan: CallPlan, attempt: RetryAttempt) {
    this.#parts = parts;
    this.#key = key;
    this.#plan = plan;
    this.#attempt = attempt;
  }

  async run<Worker, T>(
    run: Run<Worker, T>,
    timeoutMs: number | undefined,
    startMs: number,
  ): Promise<T> {
    const { bulkhead, connectionPool } = this.#plan;
    const endMs = timeoutMs === undefined ? undefined : startMs + timeoutMs;
    if (bulkhead === undefined && connectionPool === undefined) {
      return this.#call(run, undefined as Worker, endMs);
    }
    const { signal } = this.#plan;
    let release: (() => void) | undefined;
    let held: HeldWorker<Worker> | undefined;
    try {
      if (bulkhead !== undefined) {
        const { concurrent, waiting } = bulkhead;
        const line = this.#parts.bulkheads.of(this.#key, concurrent, waiting);
        release = await line.acquire({ timeoutMs: this.#left(endMs), signal });
      }
      if (connectionPool !== undefined) {
        const options = { timeoutMs: this.#left(endMs) ?? CHECKOUT_DEFAULTS.timeoutMs, signal };
        held = await this.#parts.pools.checkOut<Worker>(connectionPool, options);
      }
      return await this.#call(run, held?.worker as Worker, endMs);
    } finally {
      // A function that nobody waits for any more may still use its worker.
      held?.giveBack(this.#abandonedBy !== undefined);
      release?.();
    }
  }

  /** What the error means for the breaker; undefined: that is for its `classify` to say. */
  outcomeOf({ code }: FoundationError): "failure" | "ignore" | undefined {
    if (this.#hasThrown) return undefined;
    if (this.#abandonedBy !== undefined) return code === "timeout" ? "failure" : "ignore";
    return FAILURES_OF_THE_POOL.has(code) ? "failure" : "ignore";
  }

  #left(endMs: number | undefined): number | undefined {
    if (endMs === undefined) return undefined;
    return Math.max(0, Math.ceil(endMs - this.#parts.clock.now()));
  }

  async #call<Worker, T>(
    run: Run<Worker, T>,
    worker: Worker,
    endMs: number | undefined,
  ): Promise<T> {
    try {
      const value = run(new Context(this, worker, this.#attempt));
      return isThenable(value) ? await this.#inTime(value as Promise<T>, endMs) : value;
    } catch (thrown) {
      if (this.#abandonedBy !== undefined) throw thrown;
      this.#hasThrown = true;
      this.thrown = thrown;
      throw thrown instanceof FoundationError ? thrown : executionError(this.#key, thrown);
    }
  }

  /** Made when it is first asked for: most functions never look at it. */
  get signal(): AbortSignal {
    if (this.#control === undefined) {
      this.#control = new AbortController();
      if (this.#abandonedBy !== undefined) this.#control.abort(this.#abandonedBy);
    }
    return this.#control.signal;
  }

  async #inTime<T>(value: Promise<T>, endMs: number | undefined): Promise<T> {
    const { signal } = this.#plan;
    if (endMs === undefined && signal === undefined) return value;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel?.();
        signal?.removeEventListener("abort", onAbort);
      };
      const abandon = (error: FoundationError): void => {
        end();
        this.#abandonedBy = error;
        this.#control?.abort(error);
        reject(error);
      };
      const onAbort = (): void => abandon(abortError(signal as AbortSignal));
      const leftMs = this.#left(endMs);
      const cancel =
        leftMs === undefined
          ? undefined
          : this.#parts.clock.after(leftMs, () => abandon(tooLate(this.#key)), true);
      signal?.addEventListener("abort", onAbort, { once: true });
      value.then(
        (settled) => {
          end();
          resolve(settled);
        },
        (thrown: Error) => {
          end();
          reject(thrown);
        },
      );
    });
  }
}

function isWorthAnother(result: CallResult): boolean {
  return !result.ok && !NOT_WORTH_ANOTHER.has((result.error as FoundationError).code);
}

function misuse(text: string): FoundationError {
  return new FoundationError("exception", text);
}

function executionError(key: string, cause: unknown): FoundationError {
  const reason = thrownText(cause);
  return new FoundationError("execution_error", reason, { cause, context: { key } });
}

function tooLate(key: string): FoundationError {
  const text = `the protected call of '${key}' took too long`;
  return new FoundationError("timeout", text, { numericCode: 4301, context: { key } });
}
