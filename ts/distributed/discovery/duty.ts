import type { CandidateSet, ProviderContext } from "./provider.ts";

/**
 * The sets of a source beside a duty that goes on meanwhile, like renewing what was announced. Who
 * fails first ends the other one, and the failure is thrown.
 */
export async function* besideDuty(
  context: ProviderContext,
  duty: (context: ProviderContext) => Promise<void>,
  sets: (context: ProviderContext) => AsyncIterable<CandidateSet>,
): AsyncGenerator<CandidateSet> {
  const ended = new AbortController();
  const both = { ...context, signal: AbortSignal.any([context.signal, ended.signal]) };
  const done = duty(both).catch((thrown: unknown) => ended.abort(thrown));
  try {
    yield* sets(both);
    ended.signal.throwIfAborted();
  } catch (thrown) {
    throw ended.signal.aborted ? ended.signal.reason : thrown;
  } finally {
    ended.abort();
    await done;
  }
}
