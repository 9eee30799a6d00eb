/** How a caller may react to an error of a code. */
export type RetryStrategy = "none" | "immediate" | "fixed_delay" | "backoff" | "after_drain";

/** How bad an error of a code is for the one who gets it. */
export type Severity = "low" | "medium" | "high" | "critical";

/** Which part of the system an error is about. */
export type ErrorCategory =
  | "options"
  | "connection"
  | "delivery"
  | "resource"
  | "lifecycle"
  | "boundary"
  | "process"
  | "config"
  | "system"
  | "data"
  | "external"
  | "unknown";

/** What is known of a code beforehand. */
export interface ErrorClass {
  /** Number for logs and metrics; never reused. */
  readonly numericCode: number;
  /** How bad it is. */
  readonly severity: Severity;
  /** What it is about. */
  readonly category: ErrorCategory;
  /** Which part of that, where the services distinguish parts. */
  readonly subcategory: string | undefined;
  /** What a caller may do. */
  readonly retryStrategy: RetryStrategy;
}
