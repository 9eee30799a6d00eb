import type { ErrorClass } from "../../base/error-class.ts";
import { ERROR_CODES } from "../../base/error-codes.ts";
import type { FoundationError } from "../../base/errors.ts";
import type { TelemetrySink } from "../sinks.ts";
import { aggregateErrors, summarizeErrors } from "./aggregation.ts";
import { errorFromRecord, errorToRecord } from "./json.ts";
import { recoveryActions } from "./recovery-actions.ts";
import { isRetryable, retryDelay, shouldEscalate } from "./retrying.ts";
import { describeError, formatStacktrace, newError, wrapError } from "./wrapping.ts";

/** Codes by category and subcategory. */
export type ErrorHierarchy = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Counts an error as `foundation.errors.CATEGORY.SUBCATEGORY`. */
export function collectErrorMetrics(error: FoundationError, telemetry: TelemetrySink): void {
  const { category, subcategory, code, severity, correlationId } = error;
  const name = ["foundation", "errors", category, subcategory ?? "general"];
  telemetry.execute(name, { counter: 1 }, { code, severity, correlationId });
}

/** All codes by category and subcategory, in the order of their numbers. */
export function errorHierarchy(): ErrorHierarchy {
  const tree: Record<string, Record<string, string[]>> = {};
  const byNumber = ([, a]: [string, ErrorClass], [, b]: [string, ErrorClass]): number => {
    return a.numericCode - b.numericCode;
  };
  for (const [code, { category, subcategory }] of Object.entries(ERROR_CODES).sort(byNumber)) {
    tree[category] ??= {};
    const branch = tree[category];
    branch[subcategory ?? "general"] ??= [];
    branch[subcategory ?? "general"]?.push(code);
  }
  return tree;
}

/** What Foundation 1.x called `Foundation.Error`: making, wrapping and judging errors. */
export const Errors = Object.freeze({
  aggregate: aggregateErrors,
  collectErrorMetrics,
  describe: describeError,
  formatStacktrace,
  fromRecord: errorFromRecord,
  hierarchy: errorHierarchy,
  isRetryable,
  new: newError,
  recoveryActions,
  retryDelay,
  shouldEscalate,
  summarize: summarizeErrors,
  toRecord: errorToRecord,
  wrap: wrapError,
});
