import { type CandidateSet, type ProviderContext, pause } from "./provider.ts";

/**
 * The sets of a source that was told of this node, and is told so again every `everyMs` as long as
 * they are wanted. `renewal` makes what tells it, with the signal that ends that.
 */
export async function* renewed(
  context: ProviderContext,
  everyMs: number,
  renewal: (context: ProviderContext) => () => Promise<void>,
  sets: (context: ProviderContext) => AsyncIterable<CandidateSet>,
): AsyncGenerator<CandidateSet> {
  await renewal(context)();
  const keep = async (beside: ProviderContext): Promise<void> => {
    const renew = renewal(beside);
    while (!beside.signal.aborted) {
      await pause(beside, everyMs);
      if (!beside.signal.aborted) await renew();
    }
  };
  yield* besideDuty(context, keep, sets);
}

/**
 * The sets of a source beside a duty that goes on meanwhile, like renewing what was announced. Who
 * fails first ends the other one, and the failure is thrown.
 */
async function* besideDuty(
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
