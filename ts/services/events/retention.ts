import type { CancelTimer, Clock } from "../../base/clock.ts";
import { attempt } from "../../base/errors.ts";
import { DELAY_MS_MAX } from "../../base/option-checks.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import { isPlainObject } from "../toolkit/nested.ts";

/** Where the limits of the hot store come from; the configuration service is one. */
export interface RetentionConfig {
  /** The value at a path, or the fallback where there is none or nobody can tell. */
  getWithDefault(path: readonly string[], fallback: unknown): unknown;
  /** Calls a function whenever something at or below the path changes. */
  subscribe?(listener: () => void, options: { readonly path: readonly string[] }): Unsubscribe;
}

/** The section `storage.hot`, in the units that are counted in here. */
export interface RetentionLimits {
  readonly eventsMax: number;
  readonly ageMsMax: number;
  readonly pruneIntervalMs: number;
}

/** What counts where nobody configures anything. */
export const RETENTION_DEFAULTS: RetentionLimits = Object.freeze({
  eventsMax: 100_000, // as Foundation 1.x
  ageMsMax: 3_600_000, // as Foundation 1.x
  pruneIntervalMs: 60_000, // as Foundation 1.x
});

const PATH = ["storage", "hot"] as const;

/**
 * Keeps the hot store within `storage.hot`: at every change of the configuration, and every
 * `pruneInterval`.
 */
export class Retention {
  readonly #config: RetentionConfig | undefined;
  readonly #clock: Clock;
  readonly #enforce: (limits: RetentionLimits) => void;
  #limits = RETENTION_DEFAULTS;
  #cancel: CancelTimer = () => {};
  #unsubscribe: Unsubscribe | undefined;

  /** `enforce`: drops what is too old or too much by the limits. */
  constructor(
    config: RetentionConfig | undefined,
    clock: Clock,
    enforce: (limits: RetentionLimits) => void,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#enforce = enforce;
  }

  /** The limits as they were when somebody last looked. */
  get limits(): RetentionLimits {
    return this.#limits;
  }

  /** Looks at the limits and enforces them, now and from now on. */
  start(): void {
    this.#limits = this.#read();
    this.#enforce(this.#limits);
    this.#subscribe();
    this.#cancel();
    this.#cancel = this.#clock.after(this.#limits.pruneIntervalMs, () => this.start());
  }

  close(): void {
    this.#cancel();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  // The service of the configuration may be down just now: the next look tries again.
  #subscribe(): void {
    if (this.#unsubscribe !== undefined) return;
    const done = attempt(() => this.#config?.subscribe?.(() => this.start(), { path: PATH }));
    if (done.ok) this.#unsubscribe = done.value;
  }

  #read(): RetentionLimits {
    const hot = this.#config?.getWithDefault(PATH, undefined);
    if (!isPlainObject(hot)) return RETENTION_DEFAULTS;
    const { eventsMax, ageMsMax, pruneIntervalMs } = RETENTION_DEFAULTS;
    return {
      eventsMax: countOr(hot["maxEvents"], eventsMax),
      ageMsMax: countOr(hot["maxAgeSeconds"], ageMsMax / 1_000) * 1_000,
      pruneIntervalMs: Math.min(DELAY_MS_MAX, countOr(hot["pruneInterval"], pruneIntervalMs)),
    };
  }
}

function countOr(value: unknown, otherwise: number): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : otherwise;
}
