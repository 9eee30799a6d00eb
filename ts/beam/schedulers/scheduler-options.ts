import { checkDelay, checkKeys, checkKind, DELAY_MS_MAX } from "../../base/option-checks.ts";
import { moduleName } from "../module-names.ts";

/** How many schedulers there are. Defaults: {@link SCHEDULER_DEFAULTS}. */
export interface SchedulerOptions {
  /**
   * Their number. Unit: isolates, 1 to 256. Default: one for each core that this process may use.
   */
  readonly schedulers?: number;
  /** Whether each keeps to one core, where the system does that. */
  readonly pin?: boolean;
  /**
   * Limit of each one's heap; an item that goes above it fails with `task_lost`. Unit: MiB, at
   * least 4. Default: V8's own, some GiB.
   */
  readonly heapMiB?: number;
}

/** How many schedulers there are unless their options say otherwise. */
export const SCHEDULER_DEFAULTS = Object.freeze({
  pin: true, // a scheduler keeps its caches; nothing waits on it that could not wait
});

/** What work is done on items, and how long it may take. Defaults: {@link WORK_DEFAULTS}. */
export interface WorkOptions {
  /** Built JavaScript with the function: a URL (`new URL("./work.js", import.meta.url)`). */
  readonly module: URL | string;
  /** Name of the function; it gets an item and its index. */
  readonly export?: string;
  /** Longest time for all of it. Unit: ms. Default: none. */
  readonly timeoutMs?: number;
  /**
   * Longest time for one item: one that takes longer fails with `timeout`, and its scheduler's
   * isolate is replaced. Unit: ms. Default: none.
   */
  readonly itemTimeoutMs?: number;
  /**
   * What items under way get to end once another one has failed the work; then their schedulers'
   * isolates are replaced. After `timeout` and `aborted` they get nothing. Unit: ms.
   */
  readonly graceMs?: number;
  /** Ends it with `aborted`; an item under way is ended with its isolate. Default: none. */
  readonly signal?: AbortSignal;
}

/** How work is done unless the options say otherwise. */
export const WORK_DEFAULTS = Object.freeze({
  export: "default", // as `import` without braces
  graceMs: 1_000, // far above what an isolate takes to start: only what loops is worth that
});

const SCHEDULERS_MAX = 256;
const HEAP_MIB_MIN = 4;

const SCHEDULER_KEYS = ["schedulers", "pin", "heapMiB"];
const WORK_KEYS = ["module", "export", "timeoutMs", "itemTimeoutMs", "graceMs", "signal"];

/**
 * Refuses options of the pool that mean nothing.
 *
 * @throws FoundationError `invalid_options`
 */
export function checkSchedulers(options: SchedulerOptions): void {
  checkKeys("the options of schedulers", options, SCHEDULER_KEYS);
  const { schedulers = 1, pin = true, heapMiB = HEAP_MIB_MIN } = options;
  const isCount = Number.isInteger(schedulers) && schedulers >= 1 && schedulers <= SCHEDULERS_MAX;
  checkKind("schedulers", isCount, `a whole number from 1 to ${SCHEDULERS_MAX}`);
  checkKind("pin", typeof pin === "boolean", "true or false");
  checkKind("heapMiB", heapMiB >= HEAP_MIB_MIN, `at least ${HEAP_MIB_MIN}`);
}

/**
 * Refuses work that no scheduler could do, before it is encoded.
 *
 * @returns the module's name, as a scheduler imports it
 * @throws FoundationError `invalid_options`
 */
export function checkWork(items: readonly unknown[], options: WorkOptions): string {
  checkKind("items", Array.isArray(items), "an array");
  checkKeys("the options of work", options, WORK_KEYS);
  const { module, timeoutMs, itemTimeoutMs, graceMs = 0, signal } = options;
  const name = moduleName(module);
  for (const [option, value] of Object.entries({ timeoutMs, itemTimeoutMs })) {
    const isRight = value === undefined || (value > 0 && value <= DELAY_MS_MAX);
    checkKind(option, isRight, `above 0 and at most ${DELAY_MS_MAX}`);
  }
  checkDelay("graceMs", graceMs);
  checkKind("signal", signal === undefined || signal instanceof AbortSignal, "an AbortSignal");
  return name;
}
