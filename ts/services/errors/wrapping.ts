import { type ErrorCode, isErrorCode } from "../../base/error-codes.ts";
import { type ErrorFacts, FoundationError } from "../../base/errors.ts";
import { thrownText } from "../../base/thrown-text.ts";
import { safeInspect } from "../toolkit/sizes.ts";

const STACK_FRAMES_MAX = 10;

/** What can be said of an error that is made by its code. */
export interface ErrorOptions {
  /** Facts that go with it. Unit: none. Default: none. */
  readonly context?: ErrorFacts;
  /** Ties it to an operation. Unit: id. Default: none. */
  readonly correlationId?: string | undefined;
  /** What led to it. Unit: any. Default: none. */
  readonly cause?: unknown;
}

/**
 * An error by its code. A code that nobody documents becomes `unknown_error` (9999), with what was
 * asked for in its context.
 */
export function newError(
  code: ErrorCode | (string & {}),
  message?: string,
  options: ErrorOptions = {},
): FoundationError {
  if (isErrorCode(code)) return new FoundationError(code, message ?? textOf(code), options);
  const context = { ...options.context, unknownCode: code };
  return new FoundationError("unknown_error", message ?? "Unknown error", { ...options, context });
}

function textOf(code: string): string {
  return code.replaceAll("_", " ");
}

/**
 * What an operation failed with, as an error of that operation: an error of this package keeps its
 * code and learns who passed it on; anything else becomes the cause of one with the code given.
 */
export function wrapError(
  reason: unknown,
  code: ErrorCode | (string & {}),
  message: string,
  options: ErrorOptions = {},
): FoundationError {
  if (!(reason instanceof FoundationError)) {
    const context = { ...options.context, originalReason: safeInspect(reason) };
    return newError(code, message, { ...options, context, cause: reason });
  }
  return withFacts(reason, {
    wrappedBy: code,
    wrapperMessage: message,
    wrapperContext: options.context ?? {},
  });
}

/** An error of this package as it is; anything else as the cause of an `internal_error`. */
export function asFoundationError(thrown: unknown): FoundationError {
  if (thrown instanceof FoundationError) return thrown;
  const text = thrownText(thrown);
  return new FoundationError("internal_error", text, { cause: thrown });
}

/** A copy of an error that knows more; stack and kind are those of the original. */
export function withFacts(error: FoundationError, facts: ErrorFacts): FoundationError {
  const copy = new FoundationError(error.code, error.message, {
    context: { ...error.context, ...facts },
    correlationId: error.correlationId ?? textIn(facts, "correlationId"),
    cause: error.cause,
    numericCode: error.numericCode,
  });
  if (error.stack !== undefined) copy.stack = error.stack;
  return copy;
}

function textIn(facts: ErrorFacts, key: string): string | undefined {
  const value = facts[key];
  return typeof value === "string" ? value : undefined;
}

/** The frames of a stack, at most ten, without the message. Anything else gives none. */
export function formatStacktrace(stack: unknown): readonly string[] {
  if (typeof stack !== "string") return [];
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "))
    .slice(0, STACK_FRAMES_MAX)
    .map((line) => line.slice("at ".length));
}

/** An error in one line: `[number:code] message | Context: … | Severity: …`. */
export function describeError(error: FoundationError): string {
  const head = `[${error.numericCode}:${error.code}] ${error.message}`;
  const isBare = Object.keys(error.context).length === 0;
  const context = isBare ? "" : ` | Context: ${safeInspect(error.context)}`;
  return `${head}${context} | Severity: ${error.severity}`;
}
