import { CommandError, EXIT_CODES } from "./exit.ts";

const SIGNAL_EXIT_CODES = {
  SIGINT: EXIT_CODES.interrupted,
  SIGTERM: EXIT_CODES.terminated,
  SIGHUP: EXIT_CODES.hangup,
} as const;

type StopSignal = keyof typeof SIGNAL_EXIT_CODES;

/**
 * Turns the first stop signal into an abort, so that a command can leave the cluster and stop its
 * children; the second one ends the process at once. Children that are still there then see their
 * channel to this process close, and end by themselves.
 */
export function abortOnStopSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of Object.keys(SIGNAL_EXIT_CODES) as StopSignal[]) {
    process.on(name, () => {
      const exitCode = SIGNAL_EXIT_CODES[name];
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new CommandError("interrupted", `stopped by ${name}`, exitCode));
    });
  }
  return controller.signal;
}

/** Resolves when the signal aborts; never rejects, so that nothing has to catch it. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
