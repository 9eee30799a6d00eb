import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { HybridClock, type HybridTime } from "../../base/hybrid-clock.ts";
import type { Home, Pid } from "../../base/pid.ts";
import { EventIds } from "./event-ids.ts";

/** Where events are made. */
export interface EventPlace {
  /** The node and the isolate. */
  readonly home: Pick<Home, "node" | "slot">;
  /** The process that is running now; undefined outside of processes. */
  readonly self?: () => Pid | undefined;
  /** Where time comes from. Default: the system. */
  readonly clock?: Clock | undefined;
}

/** What events are made with: ids, times, the node and the calling process. */
export class EventOrigin {
  /** Name of the node. */
  readonly node: string;
  readonly ids: EventIds;
  readonly #self: (() => Pid | undefined) | undefined;
  readonly #clock: Clock;
  readonly #hybrid: HybridClock;
  /** From the clock that never goes back to the time of day, as they were at the start. */
  readonly #anchorMs: number;

  constructor({ home, self, clock = SYSTEM_CLOCK }: EventPlace) {
    this.node = home.node;
    this.#self = self;
    this.#clock = clock;
    this.#hybrid = new HybridClock(clock);
    this.#anchorMs = clock.wallNow() - clock.now();
    this.ids = new EventIds(home.slot, () => clock.wallNow());
  }

  /** The calling process; null outside of processes. */
  get pid(): Pid | null {
    return this.#self?.() ?? null;
  }

  /** Now, by a clock that never goes back. Unit: ms since 1970, with fractions. */
  timestamp(): number {
    return this.#anchorMs + this.#clock.now();
  }

  /** Now, by the time of day. Unit: ms since 1970. */
  wallTime(): number {
    return this.#clock.wallNow();
  }

  /** A moment after all that is known of here. `wallTime`: as it has just been. */
  tick(wallTime: number): HybridTime {
    return this.#hybrid.tick(wallTime);
  }

  /** Takes note of somebody else's moment; one that is too far ahead is left out. */
  observe(time: HybridTime | null | undefined): void {
    if (time === null || time === undefined) return;
    if (this.#hybrid.isAcceptable(time)) this.#hybrid.observe(time);
  }
}
