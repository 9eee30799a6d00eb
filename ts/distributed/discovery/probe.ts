import { SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ResolvedSource } from "./discovery-options.ts";
import type { SourceStatus } from "./discovery-types.ts";
import { type DiscoveringNode, pause } from "./provider.ts";
import { SourceRun } from "./source-run.ts";

/** Asks a source, and answers how it is after its first answer or failure, or when time is up. */
export async function probeSource(
  source: ResolvedSource,
  self: DiscoveringNode,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<SourceStatus> {
  const answered = new AbortController();
  const signal = AbortSignal.any([answered.signal, stop]);
  const end = (): void => answered.abort();
  const listener = { onSet: end, onFailure: end, onRecovery: end };
  const ground = { self, clock: SYSTEM_CLOCK, random: Math.random };
  const run = new SourceRun(source, ground, listener);
  run.start();
  const clock = {
    ...SYSTEM_CLOCK,
    after: (ms: number, then: () => void) => SYSTEM_CLOCK.after(ms, then, true),
  };
  await pause({ clock, signal }, timeoutMs);
  const status = run.status();
  await run.close();
  return status;
}
