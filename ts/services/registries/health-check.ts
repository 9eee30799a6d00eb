import { Wait } from "../../base/deadline.ts";
import { type Attempt, attempt, FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";
import type { Pid } from "../../base/pid.ts";
import { thrownText } from "../../base/thrown-text.ts";

/** What a check may say: nothing, `true` and `{ ok: true }` are a yes. */
export type HealthCheck = (pid: Pid) => unknown;

/** How a service is asked whether it is well. */
export interface HealthCheckOptions {
  /** Asks the service. Unit: callback. Default: being alive is enough. */
  readonly check?: HealthCheck;
  /** What the check gets to answer. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`. Unit: signal. Default: none. */
  readonly signal?: AbortSignal;
  /** Writes each step to the log. Unit: switch. Default: false. */
  readonly debugHealthCheck?: boolean;
}

/** How a service is asked unless options say otherwise. */
export const HEALTH_CHECK_DEFAULTS = Object.freeze({
  timeoutMs: 5_000, // as Foundation 1.x
});

/** Asks a process whether it is well, as `ServiceRegistry.healthCheck` says it. */
export async function checkHealth(
  pid: Pid,
  isAlive: () => boolean,
  facts: Readonly<Record<string, string>>,
  { check, timeoutMs = HEALTH_CHECK_DEFAULTS.timeoutMs, signal }: HealthCheckOptions,
): Promise<void> {
  checkCount("timeoutMs", timeoutMs, 1);
  if (!isAlive()) throw new FoundationError("process_dead", "it has ended", { context: facts });
  if (check === undefined) return;
  const late = (): string => `the health check took more than ${timeoutMs} ms`;
  const wait = new Wait<Attempt<unknown>>({ timeoutMs, signal }, "health_check_timeout", late);
  void attempt(async () => check(pid)).then((outcome) => wait.resolve(outcome));
  const outcome = await wait.promise;
  if (!isAlive()) throw new FoundationError("process_dead", "it has ended", { context: facts });
  if (!outcome.ok) throw failure(outcome.error, facts);
  if (isYes(outcome.value)) return;
  const context = { ...facts, answer: outcome.value };
  throw new FoundationError("health_check_failed", "the health check said no", { context });
}

function failure(thrown: unknown, context: Readonly<Record<string, string>>): FoundationError {
  // A programmer's error is told apart from a service that says why it is not well.
  const isPlain = thrown instanceof Error;
  const code = isPlain ? "health_check_error" : "health_check_crashed";
  const text = `the health check threw ${thrownText(thrown)}`;
  return new FoundationError(code, text, { context, cause: thrown });
}

function isYes(answer: unknown): boolean {
  if (answer === undefined || answer === true || answer === "ok") return true;
  return typeof answer === "object" && answer !== null && Reflect.get(answer, "ok") === true;
}
