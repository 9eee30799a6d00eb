import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { type Attempt, type ErrorFacts, FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import { NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import { collectErrorMetrics } from "./errors.ts";
import {
  formatBreadcrumbs,
  newContext,
  type OperationContext,
  type OperationContextOptions,
  withBreadcrumb,
  withMetadata,
} from "./operation-context.ts";
import { formatStacktrace, withFacts } from "./wrapping.ts";

const DURATION = ["foundation", "operations", "duration"];

/** One for all nodes: an operation does not change when it calls another node's services. */
const CURRENT = new AsyncLocalStorage<OperationContext>();

/** What the operations of an isolate know of themselves, across `await` and timers. */
export class ErrorContexts {
  readonly #telemetry: TelemetrySink;
  readonly #clock: Clock;

  /** `telemetry`: is told durations and errors. Default: nobody, and the system's clock. */
  constructor(telemetry: TelemetrySink = NO_TELEMETRY, clock: Clock = SYSTEM_CLOCK) {
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /** The context of an operation that begins now. */
  new(module: string, functionName: string, options?: OperationContextOptions): OperationContext {
    return newContext(module, functionName, this.#clock.now(), options);
  }

  /** The context of a part of an operation: same correlation id, its breadcrumbs and metadata. */
  childContext(
    parent: OperationContext,
    module: string,
    functionName: string,
    metadata: ErrorFacts = {},
  ): OperationContext {
    const all = { ...parent.metadata, ...metadata };
    return this.new(module, functionName, { parentContext: parent, metadata: all });
  }

  /** The context with one step more. */
  addBreadcrumb(
    context: OperationContext,
    module: string,
    functionName: string,
    metadata: ErrorFacts = {},
  ): OperationContext {
    return withBreadcrumb(context, module, functionName, this.#clock.now(), metadata);
  }

  /** The context with more metadata; a key that was there gets the new value. */
  addMetadata(context: OperationContext, metadata: ErrorFacts): OperationContext {
    return withMetadata(context, metadata);
  }

  /**
   * Runs a function, synchronous or not, within a context; an outer context is back afterwards.
   * Its duration is reported as the gauge `foundation.operations.duration` (ms).
   *
   * @throws FoundationError what the function throws where that is one, with the operation added;
   *   else `internal_error` (2401) with what it threw as `cause`
   */
  withContext<T>(context: OperationContext, run: () => Promise<T>): Promise<T>;
  withContext<T>(context: OperationContext, run: () => T): T;
  withContext<T>(context: OperationContext, run: () => T | Promise<T>): T | Promise<T> {
    return CURRENT.run(context, () => {
      try {
        const result = run();
        if (!(result instanceof Promise)) return this.#finished(context, result);
        return result.then(
          (value) => this.#finished(context, value),
          (thrown: unknown) => {
            throw this.#failed(context, thrown);
          },
        );
      } catch (thrown) {
        throw this.#failed(context, thrown);
      }
    });
  }

  /** The context of the operation that is running; undefined outside of any. */
  getCurrentContext(): OperationContext | undefined {
    return CURRENT.getStore();
  }

  /** An error that knows its operation; its own facts stay, and so does an inner operation. */
  enhanceError(error: FoundationError, context: OperationContext): FoundationError {
    if ("operationContext" in error.context) return error;
    const { operationId, correlationId, module, function: functionName, metadata } = context;
    const operationContext = {
      ...{ operationId, correlationId, module, function: functionName, metadata },
      breadcrumbs: context.breadcrumbs,
      durationNs: this.getOperationDurationNs(context),
    };
    return withFacts(error, { operationContext, correlationId });
  }

  /** What became of a call, where a failure knows its operation. */
  addContext<T>(result: Attempt<T>, context: OperationContext): Attempt<T> {
    return result.ok ? result : { ok: false, error: this.#described(result.error, context) };
  }

  /** The way of an operation in one line. */
  formatBreadcrumbs(context: OperationContext): string {
    return formatBreadcrumbs(context, this.#clock.now());
  }

  /** How long an operation has been under way. Unit: ms, with fractions. */
  getOperationDurationMs({ startTime }: OperationContext): number {
    return this.#clock.now() - startTime;
  }

  /** How long an operation has been under way. Unit: ns. */
  getOperationDurationNs(context: OperationContext): number {
    return Math.round(this.getOperationDurationMs(context) * 1e6);
  }

  #finished<T>(context: OperationContext, value: T): T {
    this.#report(context, "ok");
    return value;
  }

  #failed(context: OperationContext, thrown: unknown): FoundationError {
    this.#report(context, "error");
    const error = this.#described(thrown, context);
    collectErrorMetrics(error, this.#telemetry);
    return error;
  }

  #report(context: OperationContext, outcome: string): void {
    const { module, function: functionName, correlationId } = context;
    const gauge = this.getOperationDurationMs(context);
    const metadata = { module, function: functionName, correlationId, outcome };
    this.#telemetry.execute(DURATION, { gauge }, metadata);
  }

  #described(thrown: unknown, context: OperationContext): FoundationError {
    if (thrown instanceof FoundationError) return this.enhanceError(thrown, context);
    const isError = thrown instanceof Error;
    const message = thrownText(thrown);
    const facts = {
      exceptionType: isError ? thrown.name : typeof thrown,
      exceptionMessage: message,
      stacktrace: formatStacktrace(isError ? thrown.stack : undefined),
    };
    const options = { context: facts, cause: thrown, correlationId: context.correlationId };
    const text = `${context.module}.${context.function} failed: ${message}`;
    return this.enhanceError(new FoundationError("internal_error", text, options), context);
  }
}
