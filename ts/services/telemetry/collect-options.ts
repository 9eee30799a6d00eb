import type { WaitOptions } from "../../base/deadline.ts";
import { checkDelay, checkKind, checkWord } from "../../base/option-checks.ts";

/** Metrics of all isolates of the node, or of the one that asks. */
export type MetricScope = "node" | "isolate";

const SCOPES: readonly MetricScope[] = ["node", "isolate"];

/** Which metrics are collected. Defaults: {@link COLLECT_DEFAULTS}. */
export interface CollectOptions extends WaitOptions {
  /** Whose metrics. Unit: word. */
  readonly scope?: MetricScope;
  /** How long another isolate may take to answer; then it is named as missing. Unit: ms. */
  readonly timeoutMs?: number;
  /** Ends the collecting with `aborted`. Unit: signal. Default: none. */
  readonly signal?: AbortSignal;
}

/** What is collected unless the options say otherwise. */
export const COLLECT_DEFAULTS = Object.freeze({
  scope: "node", // who looks at metrics looks at a program, not at a thread
  timeoutMs: 1_000, // far longer than a garbage collection, far shorter than a scrape may take
});

/** Options of collecting, checked. */
export type CollectPlan = CollectOptions & Required<Pick<CollectOptions, "scope" | "timeoutMs">>;

/**
 * Options of collecting, checked and complete.
 *
 * @throws FoundationError `invalid_options`
 */
export function planCollect(options: object): CollectPlan {
  const plan = { ...COLLECT_DEFAULTS, ...options } as CollectPlan;
  checkWord("scope", plan.scope, SCOPES);
  checkDelay("timeoutMs", plan.timeoutMs);
  const { signal } = plan;
  checkKind("signal", signal === undefined || signal instanceof AbortSignal, "an AbortSignal");
  return plan;
}
