import type { RateRule } from "./rate-rule.ts";

/** What a limit says to a call, or would say to the next one. */
export interface RateVerdict {
  readonly isAllowed: boolean;
  /** Calls that count now, this one included where it is allowed. Unit: calls. */
  readonly used: number;
  /** Calls that would be allowed right behind it. Unit: calls. */
  readonly remaining: number;
  /** Until a call is allowed again. Unit: ms; 0 where one is now, infinite where none ever is. */
  readonly retryAfterMs: number;
}

/** Counts the calls under one rule of one key. Times are in ms and never go back. */
export interface Bucket {
  readonly rule: RateRule;
  /** Goes on by another limit: what was counted stays. */
  adopt(rule: RateRule): void;
  /** Counts a call, where it is allowed. */
  take(nowMs: number): RateVerdict;
  /** What it would say, without counting. */
  look(nowMs: number): RateVerdict;
  /** Whether it is as if it were new: then it can be forgotten. */
  isIdle(nowMs: number): boolean;
}

/** A bucket for a rule, with nothing counted. */
export function openBucket(rule: RateRule, nowMs: number): Bucket {
  switch (rule.algorithm) {
    case "fixedWindow":
      return new FixedWindow(rule);
    case "slidingWindow":
      return new SlidingWindow(rule);
    case "tokenBucket":
      return new TokenBucket(rule, nowMs);
    default:
      return rule.algorithm satisfies never;
  }
}

const NEVER = Number.POSITIVE_INFINITY;

/** Counts calls of a time behind now; what is older is forgotten before each answer. */
abstract class Window implements Bucket {
  rule: RateRule;

  constructor(rule: RateRule) {
    this.rule = rule;
  }

  adopt(rule: RateRule): void {
    this.rule = rule;
  }

  take(nowMs: number): RateVerdict {
    this.forget(nowMs);
    const isAllowed = this.count < this.rule.limit;
    if (isAllowed) this.add(nowMs);
    return this.#say(isAllowed, nowMs);
  }

  look(nowMs: number): RateVerdict {
    this.forget(nowMs);
    return this.#say(this.count < this.rule.limit, nowMs);
  }

  isIdle(nowMs: number): boolean {
    this.forget(nowMs);
    return this.count === 0;
  }

  #say(isAllowed: boolean, nowMs: number): RateVerdict {
    const remaining = Math.max(0, this.rule.limit - this.count);
    const retryAfterMs = remaining > 0 ? 0 : this.waitMs(nowMs);
    return { isAllowed, used: this.count, remaining, retryAfterMs };
  }

  /** Calls that count. */
  protected abstract readonly count: number;
  /** Lets go of what does not count any more. */
  protected abstract forget(nowMs: number): void;
  /** Counts a call. */
  protected abstract add(nowMs: number): void;
  /** Until there is room, where there is none. */
  protected abstract waitMs(nowMs: number): number;
}

class FixedWindow extends Window {
  #window = 0;
  protected count = 0;

  protected forget(nowMs: number): void {
    const window = Math.floor(nowMs / this.rule.windowMs);
    if (window === this.#window) return;
    this.#window = window;
    this.count = 0;
  }

  protected add(): void {
    this.count += 1;
  }

  protected waitMs(nowMs: number): number {
    const { limit, windowMs } = this.rule;
    return limit === 0 ? NEVER : (this.#window + 1) * windowMs - nowMs;
  }
}

/** Keeps the time of each call that it admitted, in a ring that grows up to the limit. */
class SlidingWindow extends Window {
  #times = new Float64Array(8);
  #first = 0;
  protected count = 0;

  #at(index: number): number {
    return this.#times[(this.#first + index) % this.#times.length] as number;
  }

  protected forget(nowMs: number): void {
    const oldestMs = nowMs - this.rule.windowMs;
    while (this.count > 0 && this.#at(0) <= oldestMs) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.count -= 1;
    }
  }

  protected add(nowMs: number): void {
    if (this.count === this.#times.length) {
      const grown = new Float64Array(this.#times.length * 2);
      for (let index = 0; index < this.count; index++) grown[index] = this.#at(index);
      this.#times = grown;
      this.#first = 0;
    }
    this.#times[(this.#first + this.count) % this.#times.length] = nowMs;
    this.count += 1;
  }

  protected waitMs(nowMs: number): number {
    const { limit, windowMs } = this.rule;
    // Where the limit was lowered, more than one have to grow old.
    return limit === 0 ? NEVER : this.#at(this.count - limit) + windowMs - nowMs;
  }
}

/** So much less than a token still is one: what rounding takes away. */
const ROUNDING = 1e-9;

class TokenBucket implements Bucket {
  rule: RateRule;
  #tokens: number;
  #filledMs: number;

  constructor(rule: RateRule, nowMs: number) {
    this.rule = rule;
    this.#tokens = rule.burst;
    this.#filledMs = nowMs;
  }

  adopt(rule: RateRule): void {
    this.rule = rule;
    this.#tokens = Math.min(this.#tokens, rule.burst);
  }

  take(nowMs: number): RateVerdict {
    this.#fill(nowMs);
    const isAllowed = this.#tokens >= 1 - ROUNDING;
    if (isAllowed) this.#tokens = Math.max(0, this.#tokens - 1);
    return this.#say(isAllowed);
  }

  look(nowMs: number): RateVerdict {
    this.#fill(nowMs);
    return this.#say(this.#tokens >= 1 - ROUNDING);
  }

  isIdle(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.rule.burst;
  }

  #fill(nowMs: number): void {
    const { limit, windowMs, burst } = this.rule;
    const gained = ((nowMs - this.#filledMs) / windowMs) * limit;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#filledMs = nowMs;
  }

  #say(isAllowed: boolean): RateVerdict {
    const { burst } = this.rule;
    const remaining = Math.floor(this.#tokens + ROUNDING);
    const used = Math.ceil(burst - this.#tokens - ROUNDING);
    return { isAllowed, used, remaining, retryAfterMs: this.#waitMs() };
  }

  #waitMs(): number {
    const { limit, windowMs, burst } = this.rule;
    if (this.#tokens >= 1 - ROUNDING) return 0;
    if (limit === 0 || burst === 0) return NEVER;
    return Math.ceil(((1 - this.#tokens) * windowMs) / limit);
  }
}
