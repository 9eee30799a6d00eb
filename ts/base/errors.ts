import type { ErrorCategory, ErrorClass, RetryStrategy, Severity } from "./error-class.ts";
import { ERROR_CODES, type ErrorCode, errorClassOf, isErrorCode } from "./error-codes.ts";

/** Facts that go with an error; values are for logs and must not hold payloads or secrets. */
export type ErrorFacts = Readonly<Record<string, unknown>>;

/** What can be said of an error when it is made. */
export interface FoundationErrorOptions {
  /** Facts that go with it. Default: none. */
  readonly context?: ErrorFacts;
  /** What led to it. Default: none. */
  readonly cause?: unknown;
  /** Ties it to a request. Default: none. */
  readonly correlationId?: string | undefined;
  /** Which kind of the code it is. Unit: number of the class. Default: that of `ERROR_CODES`. */
  readonly numericCode?: number;
}

/**
 * The one error class of this package. Match on `code`, not on `instanceof`: two copies of the
 * package may be loaded in one process.
 */
export class FoundationError extends Error {
  /** Stable code of docs/errors.md. */
  readonly code: ErrorCode;
  /** Number of the code. */
  readonly numericCode: number;
  /** How bad it is. */
  readonly severity: Severity;
  /** What it is about. */
  readonly category: ErrorCategory;
  /** Which part of that, where the services distinguish parts. */
  readonly subcategory: string | undefined;
  /** What a caller may do. */
  readonly retryStrategy: RetryStrategy;
  /** Facts that go with it. */
  readonly context: ErrorFacts;
  /** Ties it to a request, where one is known. */
  readonly correlationId: string | undefined;
  /** When it was made. Unit: ms since 1970. */
  readonly timestamp = Date.now();

  constructor(code: ErrorCode, message: string, options: FoundationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const row = kindOf(code, options.numericCode);
    this.name = "FoundationError";
    this.code = code;
    this.numericCode = row.numericCode;
    this.severity = row.severity;
    this.category = row.category;
    this.subcategory = row.subcategory;
    this.retryStrategy = row.retryStrategy;
    this.context = options.context ?? {};
    this.correlationId = options.correlationId;
  }
}

function kindOf(code: ErrorCode, numericCode: number | undefined): ErrorClass {
  if (numericCode === undefined) return ERROR_CODES[code];
  const found = errorClassOf(numericCode);
  if (found?.[0] === code) return found[1];
  throw new TypeError(`no error of the code '${code}' has the number ${numericCode}`);
}

/** Turns what the native core threw into a {@link FoundationError}; others pass as they are. */
export function fromNative(thrown: unknown): unknown {
  if (thrown instanceof Error && !(thrown instanceof FoundationError)) {
    const code: unknown = Reflect.get(thrown, "code");
    if (isErrorCode(code)) return new FoundationError(code, thrown.message, { cause: thrown });
  }
  return thrown;
}

/** Runs a native call; its coded error becomes a {@link FoundationError}. */
export function native<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

/** A result that is either a value or an error, for callers who prefer not to throw. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/** Runs a call, synchronous or not, and answers with what became of it instead of throwing. */
export function attempt<T>(call: () => Promise<T>): Promise<Attempt<T>>;
export function attempt<T>(call: () => T): Attempt<T>;
export function attempt<T>(call: () => T | Promise<T>): Attempt<T> | Promise<Attempt<T>> {
  try {
    const value = call();
    if (!(value instanceof Promise)) return { ok: true, value };
    return value.then(
      (settled): Attempt<T> => ({ ok: true, value: settled }),
      (error: unknown): Attempt<T> => ({ ok: false, error }),
    );
  } catch (error) {
    return { ok: false, error };
  }
}
