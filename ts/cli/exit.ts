import { thrownText } from "../base/thrown-text.ts";

/**
 * How a command ends: the exit codes that scripts may rely on, and the one error class that
 * carries them to the top.
 */
export const EXIT_CODES = Object.freeze({
  /** The work is complete and every check held. */
  success: 0,
  /** The work ran, but a check failed or the cluster was lost. */
  failed: 1,
  /** Nothing was started: wrong arguments, or a path with nothing to index. */
  usage: 2,
  /** Stopped by SIGHUP (128 + 1). */
  hangup: 129,
  /** Stopped by SIGINT (128 + 2). */
  interrupted: 130,
  /** Stopped by SIGTERM (128 + 15). */
  terminated: 143,
});

/**
 * A failure that a user can understand from its one line. Everything else that reaches the top is
 * a defect of ours, or a coded error of the runtime, and is printed with its code.
 */
export class CommandError extends Error {
  /** Stable snake_case name of the failure, printed in brackets behind the message. */
  readonly code: string;
  /** One of {@link EXIT_CODES}. */
  readonly exitCode: number;

  constructor(
    code: string,
    message: string,
    exitCode: number = EXIT_CODES.failed,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A mistake in the arguments or the input; ends the process with the code for usage errors. */
export function usageError(code: string, message: string, cause?: unknown): CommandError {
  return new CommandError(code, message, EXIT_CODES.usage, cause);
}

/** First line of what was thrown, to be part of another message. */
export function messageOf(failure: unknown): string {
  return thrownText(failure).split("\n", 1)[0] ?? "";
}

/** The one line of a failure by itself, with its code when it has one. */
export function describeFailure(failure: unknown): string {
  const hasCode = failure instanceof Error && "code" in failure;
  return hasCode ? `${messageOf(failure)} [${String(failure.code)}]` : messageOf(failure);
}
