import { errorClassOf, isErrorCode } from "../../base/error-codes.ts";
import { type ErrorFacts, FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import { isPlainObject } from "../toolkit/nested.ts";
import { newError } from "./wrapping.ts";

/** An error as plain data; its cause as text. */
export interface ErrorRecord {
  readonly code: string;
  readonly numericCode: number;
  readonly message: string;
  readonly severity: string;
  readonly category: string;
  readonly subcategory: string | undefined;
  readonly retryStrategy: string;
  readonly context: ErrorFacts;
  readonly correlationId: string | undefined;
  /** Unit: ms since 1970. */
  readonly timestamp: number;
  readonly cause: string | undefined;
}

function causeText(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  return cause instanceof Error ? String(cause) : thrownText(cause);
}

/** An error as plain data, for logs and for other processes. Stacks stay here. */
export function errorToRecord(error: FoundationError): ErrorRecord {
  const { code, numericCode, message, severity, category, subcategory } = error;
  const { retryStrategy, context, correlationId, timestamp, cause } = error;
  return {
    ...{ code, numericCode, message, severity, category, subcategory },
    ...{ retryStrategy, context, correlationId, timestamp },
    cause: causeText(cause),
  };
}

/**
 * The error that a record was made of, as far as a record can hold it. What is no record becomes
 * `unknown_error`.
 */
export function errorFromRecord(record: unknown): FoundationError {
  if (!isPlainObject(record)) return newError("unknown_error", "no record of an error");
  const { code, numericCode, message, context, correlationId, timestamp, cause } = record;
  const text = typeof message === "string" ? message : undefined;
  const options = {
    context: isPlainObject(context) ? context : {},
    correlationId: typeof correlationId === "string" ? correlationId : undefined,
    cause,
  };
  const error = isErrorCode(code)
    ? new FoundationError(code, text ?? code, { ...options, ...kindIn(code, numericCode) })
    : newError(String(code), text, options);
  const isTimed = typeof timestamp === "number" && Number.isFinite(timestamp);
  return isTimed ? Object.assign(error, { timestamp }) : error;
}

function kindIn(code: string, numericCode: unknown): { numericCode?: number } {
  if (typeof numericCode !== "number" || errorClassOf(numericCode)?.[0] !== code) return {};
  return { numericCode };
}
