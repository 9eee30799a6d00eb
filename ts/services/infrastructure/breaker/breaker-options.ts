import { FoundationError } from "../../../base/errors.ts";
import { DELAY_MS_MAX } from "../../../base/option-checks.ts";
import { isRecord, knownKeys, type Refuse, wholeNumber } from "../checks.ts";

/** What became of a call, in the eyes of a breaker: `ignore` counts neither way. */
export type BreakerOutcome = "success" | "failure" | "ignore";

/** What a call ended with. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** How a breaker tries a service out before it closes again. Defaults: {@link PROBE_DEFAULTS}. */
export interface ProbeOptions {
  /** Calls let through at a time while it is half open. Unit: calls. */
  readonly calls?: number;
  /** Successes in a row that close it. Unit: calls. */
  readonly successes?: number;
}

/** How a half-open breaker goes about it unless its options say otherwise. */
export const PROBE_DEFAULTS: Required<ProbeOptions> = Object.freeze({
  calls: 1, // as the breaker of Foundation 0.2
  successes: 1, // as the breaker of Foundation 0.2
});

/** When a breaker opens, and how it closes again. Defaults: {@link BREAKER_DEFAULTS}. */
export interface BreakerOptions {
  /** Failures within the window that are borne; one more opens it. Unit: failures. */
  readonly tolerance?: number;
  /** Time over which failures count. Unit: ms. Default: `refreshMs`. */
  readonly windowMs?: number;
  /** Time from opening until calls are let through again. Unit: ms. */
  readonly refreshMs?: number;
  /** Tries the service out first. Default: `false`, straight to closed as in Foundation 1.x. */
  readonly halfOpen?: boolean | ProbeOptions;
  /**
   * Tells what a call's end means. Default: what was thrown is a failure, what was returned a
   * success.
   */
  readonly classify?: (result: CallResult) => BreakerOutcome;
  /** `refreshMs` as Foundation 1.x spells it. Unit: ms. Default: none. */
  readonly refresh?: number;
  /** The only one that Foundation 1.x has, taken for its sake. Default: `standard`. */
  readonly strategy?: "standard";
}

/** When a breaker opens and closes unless its options say otherwise. */
export const BREAKER_DEFAULTS = Object.freeze({
  tolerance: 5, // as Foundation 1.x
  refreshMs: 60_000, // as Foundation 1.x
});

/** Most failures that a breaker bears: it remembers the time of each. */
const TOLERANCE_MAX = 10_000;
const PROBES_MAX = 10_000;

/** Options of a breaker, complete and checked. */
export interface BreakerPlan {
  readonly tolerance: number;
  readonly windowMs: number;
  readonly refreshMs: number;
  readonly halfOpen: Required<ProbeOptions> | undefined;
  readonly classify: ((result: CallResult) => BreakerOutcome) | undefined;
}

const KEYS = ["tolerance", "windowMs", "refreshMs", "halfOpen", "classify", "refresh", "strategy"];

const refuse: Refuse = (text, context) =>
  new FoundationError("circuit_breaker_exception", text, { numericCode: 5016, context });

/**
 * Completes and checks the options of a breaker.
 *
 * @throws FoundationError `circuit_breaker_exception` (5016) with the option that cannot be used
 */
export function planBreaker(options: BreakerOptions = {}): BreakerPlan {
  knownKeys("the options of a circuit breaker", options, KEYS, refuse);
  const { strategy = "standard", classify } = options;
  if (strategy !== "standard") throw refuse("strategy must be 'standard'", { strategy });
  if (classify !== undefined && typeof classify !== "function") {
    throw refuse("classify must be a function", {});
  }
  const refreshMs = options.refreshMs ?? options.refresh ?? BREAKER_DEFAULTS.refreshMs;
  const windowMs = options.windowMs ?? refreshMs;
  const tolerance = options.tolerance ?? BREAKER_DEFAULTS.tolerance;
  return Object.freeze({
    tolerance: wholeNumber("tolerance", tolerance, [0, TOLERANCE_MAX], refuse),
    refreshMs: wholeNumber("refreshMs", refreshMs, [1, DELAY_MS_MAX], refuse),
    windowMs: wholeNumber("windowMs", windowMs, [1, DELAY_MS_MAX], refuse),
    halfOpen: planProbes(options.halfOpen ?? false),
    classify,
  });
}

function planProbes(probes: boolean | ProbeOptions): Required<ProbeOptions> | undefined {
  if (probes === false) return undefined;
  if (probes === true) return PROBE_DEFAULTS;
  if (!isRecord(probes)) throw refuse("halfOpen must be a boolean or an object", {});
  knownKeys("halfOpen", probes, Object.keys(PROBE_DEFAULTS), refuse);
  const { calls, successes } = { ...PROBE_DEFAULTS, ...probes };
  return Object.freeze({
    calls: wholeNumber("halfOpen.calls", calls, [1, PROBES_MAX], refuse),
    successes: wholeNumber("halfOpen.successes", successes, [1, PROBES_MAX], refuse),
  });
}
