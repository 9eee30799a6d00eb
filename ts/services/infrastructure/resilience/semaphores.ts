import { type Clock, SYSTEM_CLOCK } from "../../../base/clock.ts";
import { FoundationError } from "../../../base/errors.ts";
import { numberWithin, wholeNumber } from "../checks.ts";
import { type LineOptions, WaitingLine } from "./waiting-line.ts";

/** Gives back what was acquired. More than once does nothing. */
export type Release = () => void;

/** Most who wait for one semaphore. */
const WAITERS_MAX = 100_000;

const COUNTS = [0, Number.MAX_SAFE_INTEGER] as const;

function late(timeoutMs: number | undefined): FoundationError {
  const text = `it was not free within ${timeoutMs} ms`;
  return new FoundationError("timeout", text, { numericCode: 4301, context: { timeoutMs } });
}

function once(run: () => void): Release {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}

/** So many at a time; who finds no room waits behind those who came before. */
export class CountingSemaphore {
  readonly #line: WaitingLine<Release>;
  #permits: number;
  #inUse = 0;

  /**
   * `waitersMax`: one more is refused with `too_many_waiting`.
   *
   * @throws FoundationError `invalid_options`
   */
  constructor(permits: number, clock: Clock = SYSTEM_CLOCK, waitersMax = WAITERS_MAX) {
    this.#permits = wholeNumber("permits", permits, COUNTS);
    this.#line = new WaitingLine(clock, wholeNumber("waitersMax", waitersMax, COUNTS));
  }

  /** Those who have acquired it. */
  get inUse(): number {
    return this.#inUse;
  }

  /** Those who wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /** How many more may acquire it now. */
  get available(): number {
    return Math.max(0, this.#permits - this.#inUse);
  }

  /** Acquires it where there is room and nobody waits. */
  tryAcquire(): Release | undefined {
    return this.available > 0 && this.#line.size === 0 ? this.#acquire() : undefined;
  }

  /**
   * Acquires it, or waits.
   *
   * @throws FoundationError `timeout`, `aborted`, `too_many_waiting`
   */
  async acquire(options: LineOptions = {}): Promise<Release> {
    return this.tryAcquire() ?? this.#line.join(undefined, options, () => late(options.timeoutMs));
  }

  /**
   * Runs a function while it is acquired.
   *
   * @throws FoundationError as `acquire`; what the function throws
   */
  async run<T>(run: () => T | Promise<T>, options: LineOptions = {}): Promise<T> {
    const release = await this.acquire(options);
    try {
      return await run();
    } finally {
      release();
    }
  }

  /** How many at a time. */
  get permits(): number {
    return this.#permits;
  }

  /**
   * Changes how many at a time, and how many may wait. Who has acquired it keeps it, who waits may
   * go on waiting.
   *
   * @throws FoundationError `invalid_options`
   */
  resize(permits: number, waitersMax = this.#line.waitersMax): void {
    this.#permits = wholeNumber("permits", permits, COUNTS);
    this.#line.waitersMax = wholeNumber("waitersMax", waitersMax, COUNTS);
    this.#admit();
  }

  #acquire(): Release {
    this.#inUse += 1;
    return once(() => {
      this.#inUse -= 1;
      this.#admit();
    });
  }

  #admit(): void {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      if (this.available === 0) return;
      first.give(this.#acquire());
    }
  }
}

/**
 * A budget, of bytes for one. Whoever comes is admitted while the budget is not below 0, so that
 * one wish larger than the whole of it is granted, too; then nobody until enough was given back.
 * First come, first served: a small wish does not overtake a large one.
 */
export class WeightedSemaphore {
  readonly #line: WaitingLine<Release, number>;
  readonly #budget: number;
  #left: number;

  /** @throws FoundationError `invalid_options` */
  constructor(budget: number, clock: Clock = SYSTEM_CLOCK, waitersMax = WAITERS_MAX) {
    this.#budget = wholeNumber("budget", budget, COUNTS);
    this.#left = budget;
    this.#line = new WaitingLine(clock, wholeNumber("waitersMax", waitersMax, COUNTS));
  }

  /** What is left of the budget; below 0 after a wish that was larger than what was left. */
  get left(): number {
    return this.#left;
  }

  /** The whole of it. */
  get budget(): number {
    return this.#budget;
  }

  /** Those who wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Takes from the budget where it is not below 0 and nobody waits.
   *
   * @throws FoundationError `invalid_options`
   */
  tryAcquire(weight: number): Release | undefined {
    numberWithin("weight", weight, COUNTS);
    return this.#left >= 0 && this.#line.size === 0 ? this.#take(weight) : undefined;
  }

  /**
   * Takes from the budget, or waits.
   *
   * @throws FoundationError `invalid_options`, `timeout`, `aborted`, `too_many_waiting`
   */
  async acquire(weight: number, options: LineOptions = {}): Promise<Release> {
    return (
      this.tryAcquire(weight) ?? this.#line.join(weight, options, () => late(options.timeoutMs))
    );
  }

  #take(weight: number): Release {
    this.#left -= weight;
    return once(() => {
      this.#left += weight;
      this.#admit();
    });
  }

  #admit(): void {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      if (this.#left < 0) return;
      first.give(this.#take(first.wish));
    }
  }
}

/** Names that a limiter knows at a time. */
const LIMITS_MAX = 10_000;

/** Semaphores by name: so many at a time of each kind of work. */
export class Limiter {
  readonly #clock: Clock;
  readonly #semaphores = new Map<string, CountingSemaphore>();

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** The semaphore of a name; undefined before it was first used. */
  find(name: string): CountingSemaphore | undefined {
    return this.#semaphores.get(name);
  }

  /**
   * The semaphore of a name, with so many permits, and so many who may wait, from now on.
   *
   * @throws FoundationError `invalid_options`, `resource_exhausted` with too many names in use
   */
  of(name: string, permits: number, waitersMax = WAITERS_MAX): CountingSemaphore {
    const known = this.#semaphores.get(name);
    if (known !== undefined) {
      known.resize(permits, waitersMax);
      return known;
    }
    if (this.#semaphores.size >= LIMITS_MAX) this.#forgetUnused();
    const semaphore = new CountingSemaphore(permits, this.#clock, waitersMax);
    this.#semaphores.set(name, semaphore);
    return semaphore;
  }

  /**
   * Runs a function with so many of that name at a time.
   *
   * @throws FoundationError as `of` and `CountingSemaphore.run`
   */
  async run<T>(
    name: string,
    permits: number,
    run: () => T | Promise<T>,
    options: LineOptions = {},
  ): Promise<T> {
    return this.of(name, permits).run(run, options);
  }

  #forgetUnused(): void {
    for (const [name, { inUse, waiting }] of this.#semaphores) {
      if (inUse + waiting === 0) this.#semaphores.delete(name);
    }
    if (this.#semaphores.size < LIMITS_MAX) return;
    const text = `${LIMITS_MAX} limits are in use already`;
    throw new FoundationError("resource_exhausted", text);
  }
}
