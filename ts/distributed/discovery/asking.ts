import { abortError } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkDelay } from "../../base/option-checks.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { CandidateSet, ProviderContext } from "./provider.ts";

/** Shortest pause between two questions: a source is no place to spin at. Unit: ms. */
const PERIOD_MS_MIN = 10;

/** Checks a pause between two questions, or how long an answer may take. */
export function checkPeriod(name: string, value: number): number {
  return checkDelay(name, checkCount(name, value, PERIOD_MS_MIN));
}

/** Errors that say already what has to be said. */
const AS_THEY_ARE: ReadonlySet<string> = new Set(["discovery_failed", "aborted"]);

/** The error of a source that could not be asked, or answered what cannot be read. */
export function discoveryFailed(what: string, cause: unknown): FoundationError {
  if (cause instanceof FoundationError && AS_THEY_ARE.has(cause.code)) return cause;
  const text = `${what}: ${thrownText(cause)}`;
  return new FoundationError("discovery_failed", text, { cause });
}

/**
 * What a source answers, waited for no longer than it may take and not a moment after the abort.
 * The question has a signal of its own, aborted when nobody waits for the answer any more.
 *
 * @throws FoundationError `discovery_failed` for no answer or one that is an error, `aborted`
 */
export async function answerOf<Answer>(
  { clock, signal }: Pick<ProviderContext, "clock" | "signal">,
  { what, timeoutMs }: { readonly what: string; readonly timeoutMs: number },
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  if (signal.aborted) throw abortError(signal);
  const question = new AbortController();
  let end = (): void => {};
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = (error: FoundationError): void => {
      question.abort(error);
      reject(error);
    };
    const onAbort = (): void => giveUp(abortError(signal));
    const cancel = clock.after(timeoutMs, () => {
      const text = `${what}: no answer within ${timeoutMs} ms`;
      giveUp(new FoundationError("discovery_failed", text));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    end = () => {
      cancel();
      signal.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([ask(question.signal), givenUp]);
  } catch (thrown) {
    throw discoveryFailed(what, thrown);
  } finally {
    end();
  }
}

/** What is waited for, or undefined as soon as the signal is aborted. */
export async function unlessAborted<Value>(
  signal: AbortSignal,
  waited: Promise<Value>,
): Promise<Value | undefined> {
  let onAbort = (): void => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The sets as they come; an abort ends them without an error, whatever it cut short. */
export async function* untilAborted(
  { signal }: Pick<ProviderContext, "signal">,
  sets: AsyncIterable<CandidateSet>,
): AsyncGenerator<CandidateSet> {
  try {
    for await (const set of sets) {
      if (signal.aborted) return;
      yield set;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}
