import { setImmediate as turn } from "node:timers/promises";
import { abortError } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkKeys, checkKind } from "../../base/option-checks.ts";

/** How long work on this isolate may run in one piece. Defaults: {@link CPU_DEFAULTS}. */
export interface CpuOptions {
  /** Time that it runs before timers, I/O and messages get their turn. Unit: ms. */
  readonly budgetMs?: number;
  /** Ends it with `aborted` at its next turn. Default: none. */
  readonly signal?: AbortSignal;
  /** Told at every turn how many are done. Unit: items. Default: nobody. */
  readonly onProgress?: (done: number) => void;
}

/** How long work on this isolate may run in one piece unless its options say otherwise. */
export const CPU_DEFAULTS = Object.freeze({
  budgetMs: 6, // a 60 Hz frame holds two of them and what waits between
});

/** Part of the budget that may pass unseen between two looks at the clock. */
const BLIND_PART = 1 / 8;
const BLIND_ITEMS_MAX = 65_536;

/**
 * Runs a synchronous function on each item in this isolate, and lets the event loop turn whenever
 * the budget is used up. How often it looks at the clock follows from what items cost.
 *
 * @throws FoundationError `invalid_options`, `aborted`; and what `fn` throws
 */
export async function cpuIntensive<Item, Result>(
  items: Iterable<Item>,
  fn: (item: Item, index: number) => Result,
  options: CpuOptions = {},
): Promise<Result[]> {
  checkKeys("the options of cpuIntensive", options, ["budgetMs", "signal", "onProgress"]);
  const { budgetMs = CPU_DEFAULTS.budgetMs, signal, onProgress } = options;
  checkKind("items", typeof Object(items)[Symbol.iterator] === "function", "iterable");
  checkKind("fn", typeof fn === "function", "a function");
  checkKind("budgetMs", budgetMs > 0, "above 0");
  const results: Result[] = [];
  let blind = 1;
  let sinceLook = 0;
  refuseAborted(signal);
  let turnMs = performance.now();
  let lookMs = turnMs;
  for (const item of items) {
    results.push(synchronous(fn(item, results.length)));
    if (++sinceLook < blind) continue;
    const nowMs = performance.now();
    blind = nextBlind(budgetMs, (nowMs - lookMs) / sinceLook, blind);
    sinceLook = 0;
    lookMs = nowMs;
    if (nowMs - turnMs + budgetMs * BLIND_PART < budgetMs) continue;
    onProgress?.(results.length);
    await turn();
    refuseAborted(signal);
    turnMs = lookMs = performance.now();
  }
  return results;
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Items until the next look; at most doubled, as the next ones may be dearer. */
function nextBlind(budgetMs: number, itemMs: number, blind: number): number {
  const most = Math.min(BLIND_ITEMS_MAX, 2 * blind);
  if (itemMs <= 0) return most;
  return Math.max(1, Math.min(most, Math.floor((budgetMs * BLIND_PART) / itemMs)));
}

function synchronous<Result>(result: Result): Result {
  if (result instanceof Promise) {
    result.catch(() => {}); // what it fails with is not what is wrong here
    throw new FoundationError(
      "invalid_options",
      "cpuIntensive runs synchronous functions: one that awaits lets others run by itself",
    );
  }
  return result;
}
