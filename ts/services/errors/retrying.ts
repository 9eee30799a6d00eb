import type { Severity } from "../../base/error-class.ts";
import type { FoundationError } from "../../base/errors.ts";

const BACKOFF_BASE_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
const FIXED_MS = 1_000;
const ESCALATED: readonly Severity[] = ["high", "critical"];

/** Whether doing it again may help. */
export function isRetryable(error: FoundationError): boolean {
  return error.retryStrategy !== "none";
}

/**
 * How long to wait before attempt number `attempt`, from 0 on: 1 s doubled each time and at most
 * 30 s, always 1 s, at once, or never. Unit: ms; `Infinity` where it should not be repeated.
 */
export function retryDelay({ retryStrategy }: FoundationError, attempt = 0): number {
  switch (retryStrategy) {
    case "backoff":
      return Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, attempt));
    case "fixed_delay":
      return FIXED_MS;
    case "immediate":
    case "after_drain":
      return 0;
    case "none":
      return Number.POSITIVE_INFINITY;
  }
}

/** Whether somebody has to be told: its severity is high or critical. */
export function shouldEscalate({ severity }: FoundationError): boolean {
  return ESCALATED.includes(severity);
}
