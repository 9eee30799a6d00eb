import type { Severity } from "../../base/error-class.ts";
import { FoundationError } from "../../base/errors.ts";

const SEVERITIES: readonly Severity[] = ["low", "medium", "high", "critical"];

/** What many errors have in common. */
export interface ErrorSummary {
  readonly total: number;
  readonly byCode: Readonly<Record<string, number>>;
  readonly byCategory: Readonly<Record<string, number>>;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  /** The first of the most severe ones; undefined where there are none. */
  readonly worst: FoundationError | undefined;
}

/** Counts errors by code, category and severity. */
export function summarizeErrors(errors: Iterable<FoundationError>): ErrorSummary {
  const byCode: Record<string, number> = {};
  const byCategory: Record<string, number> = {};
  const bySeverity: Record<Severity, number> = { low: 0, medium: 0, high: 0, critical: 0 };
  let total = 0;
  let worst: FoundationError | undefined;
  for (const error of errors) {
    total += 1;
    byCode[error.code] = (byCode[error.code] ?? 0) + 1;
    byCategory[error.category] = (byCategory[error.category] ?? 0) + 1;
    bySeverity[error.severity] += 1;
    if (worst === undefined || rankOf(error) > rankOf(worst)) worst = error;
  }
  return { total, byCode, byCategory, bySeverity, worst };
}

function rankOf({ severity }: FoundationError): number {
  return SEVERITIES.indexOf(severity);
}

/**
 * Several errors as one: its code is that of the worst, its cause an `AggregateError` of all, its
 * context their counts.
 *
 * @throws TypeError where there is none
 */
export function aggregateErrors(
  errors: readonly FoundationError[],
  message: string,
): FoundationError {
  const { worst, total, byCode, bySeverity } = summarizeErrors(errors);
  if (worst === undefined) throw new TypeError("there are no errors to aggregate");
  return new FoundationError(worst.code, message, {
    cause: new AggregateError(errors, message),
    context: { total, byCode, bySeverity },
    correlationId: worst.correlationId,
    numericCode: worst.numericCode,
  });
}
