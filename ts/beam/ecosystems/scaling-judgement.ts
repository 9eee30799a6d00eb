import type { EcosystemScalingOptions, ScalingFigures, ScalingVerdict } from "./scaling-types.ts";

/** What a change is judged by. */
export type JudgementRules = Pick<
  Required<EcosystemScalingOptions>,
  "highDelayMs" | "toleranceRatio"
>;

/** What became of a change, and why. */
export interface Judgement {
  readonly verdict: Extract<ScalingVerdict, "kept" | "reverted">;
  readonly reason: string;
}

/** CPU below this is the noise of looking. Unit: cores. */
const CORES_MIN = 0.02;

/** Judges one worker more: it was to help with work that waited. */
export function judgeMore(
  before: ScalingFigures,
  after: ScalingFigures,
  { highDelayMs, toleranceRatio }: JudgementRules,
): Judgement {
  if (after.delayMs < highDelayMs) return { verdict: "kept", reason: "work waits less" };
  const { throughputPerSecond: was } = before;
  const { throughputPerSecond: is } = after;
  if (is < was * (1 - toleranceRatio)) {
    return { verdict: "reverted", reason: "less work was done while more waited" };
  }
  const isMore = is > was * (1 + toleranceRatio);
  const [costWas, costIs] = [costOf(before), costOf(after)];
  if (!isMore && costWas > 0 && costIs > costWas * (1 + 2 * toleranceRatio)) {
    return { verdict: "reverted", reason: "as much work took more CPU" };
  }
  return { verdict: "kept", reason: isMore ? "more work is done" : "as much work is done" };
}

/** Judges one worker less: it was to change nothing for the work. */
export function judgeLess(after: ScalingFigures, { highDelayMs }: JudgementRules): Judgement {
  return after.delayMs >= highDelayMs
    ? { verdict: "reverted", reason: "work waited longer" }
    : { verdict: "kept", reason: "work waits no longer" };
}

/** CPU for a piece of work; 0 where nothing can be said. Unit: core seconds. */
function costOf({ cpuCores = 0, throughputPerSecond }: ScalingFigures): number {
  return cpuCores < CORES_MIN || throughputPerSecond <= 0 ? 0 : cpuCores / throughputPerSecond;
}
