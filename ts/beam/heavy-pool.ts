import { checkKeys, checkKind } from "../base/option-checks.ts";
import { checkHeap, type HeapLimits } from "./heavy.ts";
import { moduleName } from "./module-names.ts";
import { describeReason, type ExitReason } from "./signals.ts";

/** Isolates that a node keeps ready for heavy processes. Defaults: {@link HEAVY_POOL_DEFAULTS}. */
export interface HeavyPoolOptions {
  /** How many wait at once, at most 64. Unit: isolates. Each costs some 8 MiB while it waits. */
  readonly idle?: number;
  /**
   * Limit of their heaps, which is fixed as they begin: they are for heavy processes with the same
   * `heapMiB` and `youngMiB`, others start as without a pool. Unit: MiB. Default: V8's own.
   */
  readonly heapMiB?: number;
  /** Size of their young generations, likewise. Unit: MiB. Default: V8's own. */
  readonly youngMiB?: number;
  /** Modules that they load in advance, besides this package; named as in `heavy`. */
  readonly preload?: readonly (URL | string)[];
}

/** What a node keeps ready unless its options say otherwise. */
export const HEAVY_POOL_DEFAULTS = Object.freeze({
  idle: 0, // memory for isolates that nobody may ask for has to be asked for
  preload: Object.freeze([]) as readonly (URL | string)[], // which modules, only the caller knows
});

/** Far more than starts come in while one is replaced; a node has 1,024 isolates in all. */
const IDLE_MAX = 64;
/** A boot takes some 50 ms of a core: replacing them takes a third of one at most. Unit: ms. */
const PAUSE_MS = 100;
/** Longest pause behind isolates that do not come up, doubled with each. Unit: ms. */
const PAUSE_MS_MAX = 30_000;

const KEYS: readonly string[] = ["idle", "heapMiB", "youngMiB", "preload"];

/** The options of a pool, checked. */
export interface HeavyPoolPlan extends HeapLimits {
  readonly idle: number;
  readonly preload: readonly string[];
}

/** The isolates that a node keeps ready, and what they were good for. */
export interface HeavyPoolCounts {
  /** Isolates that wait. */
  readonly idle: number;
  /** Isolates that are on their way there. */
  readonly booting: number;
  /** Heavy processes that one of them has taken up. */
  readonly taken: number;
  /** Those that none was there for, or none with their limits of the heap. */
  readonly coldStarts: number;
  /** Isolates that ended before anybody had a use for them. */
  readonly lost: number;
  /** Why the last one of these did; undefined where none has. */
  readonly lastLoss: string | undefined;
}

/** An isolate, as a pool has to know it. */
export interface Pooled {
  /** Resolves when it is gone. */
  readonly ended: Promise<{ readonly reason: ExitReason }>;
  terminate(): Promise<void>;
}

/**
 * Checks what is to be kept ready; undefined where nothing is. `library`: what all of them load.
 *
 * @throws FoundationError `invalid_options`
 */
export function planHeavyPool(
  options: HeavyPoolOptions | undefined,
  library: string,
): HeavyPoolPlan | undefined {
  if (options === undefined) return undefined;
  checkKeys("heavyPool", options, KEYS);
  const { heapMiB, youngMiB } = options;
  const { idle, preload } = { ...HEAVY_POOL_DEFAULTS, ...options };
  const isCount = Number.isInteger(idle) && idle >= 0 && idle <= IDLE_MAX;
  checkKind("heavyPool.idle", isCount, `a whole number from 0 to ${IDLE_MAX}`);
  checkKind("heavyPool.preload", Array.isArray(preload), "a list of modules");
  checkHeap({ heapMiB, youngMiB });
  if (idle === 0) return undefined;
  return { idle, heapMiB, youngMiB, preload: [library, ...preload.map(moduleName)] };
}

/** Keeps isolates ready, and replaces those that are taken: one at a time, with pauses. */
export class HeavyPool<Isolate extends Pooled> {
  readonly #plan: HeavyPoolPlan;
  readonly #boot: () => Isolate;
  readonly #ready: (isolate: Isolate) => Promise<void>;
  readonly #idle: Isolate[] = [];
  #booting: Isolate | undefined;
  #pausing: NodeJS.Timeout | undefined;
  /** How many in a row did not come up. */
  #failures = 0;
  #taken = 0;
  #coldStarts = 0;
  #lost = 0;
  #lastLoss: string | undefined;
  #isClosed = false;

  /** `ready`: resolves once an isolate waits, rejects with what kept it from it. */
  constructor(
    plan: HeavyPoolPlan,
    boot: () => Isolate,
    ready: (isolate: Isolate) => Promise<void>,
  ) {
    this.#plan = plan;
    this.#boot = boot;
    this.#ready = ready;
    this.#refill();
  }

  /** An isolate with those limits that waits; undefined where there is none. */
  take({ heapMiB, youngMiB }: HeapLimits): Isolate | undefined {
    const isAsPlanned = heapMiB === this.#plan.heapMiB && youngMiB === this.#plan.youngMiB;
    const isolate = isAsPlanned ? this.#idle.shift() : undefined;
    if (isolate === undefined) this.#coldStarts++;
    else this.#taken++;
    this.#refillLater();
    return isolate;
  }

  counts(): HeavyPoolCounts {
    return {
      idle: this.#idle.length,
      booting: this.#booting === undefined ? 0 : 1,
      taken: this.#taken,
      coldStarts: this.#coldStarts,
      lost: this.#lost,
      lastLoss: this.#lastLoss,
    };
  }

  /** Ends those that wait. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#pausing);
    void this.#booting?.terminate();
    for (const isolate of this.#idle.splice(0)) void isolate.terminate();
  }

  /** After a pause, in which what was just started has the machine to itself. */
  #refillLater(): void {
    if (this.#isClosed || this.#pausing !== undefined || this.#booting !== undefined) return;
    if (this.#idle.length >= this.#plan.idle) return;
    const pauseMs = Math.min(PAUSE_MS * 2 ** this.#failures, PAUSE_MS_MAX);
    this.#pausing = setTimeout(() => {
      this.#pausing = undefined;
      this.#refill();
    }, pauseMs);
    this.#pausing.unref();
  }

  #refill(): void {
    let isolate: Isolate;
    try {
      isolate = this.#boot();
    } catch (thrown) {
      this.#lose(thrown);
      return this.#refillLater();
    }
    this.#booting = isolate;
    this.#ready(isolate).then(
      () => this.#keep(isolate),
      (thrown: unknown) => {
        void isolate.terminate();
        this.#booting = undefined;
        this.#lose(thrown);
        this.#refillLater();
      },
    );
  }

  #keep(isolate: Isolate): void {
    this.#booting = undefined;
    if (this.#isClosed) return;
    this.#failures = 0;
    this.#idle.push(isolate);
    void isolate.ended.then(({ reason }) => {
      const at = this.#idle.indexOf(isolate);
      if (at === -1) return;
      this.#idle.splice(at, 1);
      this.#lose(reason);
      this.#refillLater();
    });
    this.#refillLater();
  }

  #lose(why: ExitReason): void {
    if (this.#isClosed) return;
    this.#lost++;
    this.#failures++;
    this.#lastLoss = describeReason(why);
  }
}
