/** What was heard lately, so that nothing is heard twice. */
export class ReplayWindow {
  readonly #windowMs: number;
  readonly #entriesMax: number;
  /** Until when each has to be remembered; those that came first are first. */
  readonly #seen = new Map<string, number>();

  constructor(windowMs: number, entriesMax: number) {
    this.#windowMs = windowMs;
    this.#entriesMax = entriesMax;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** Takes something of a time, once. A full window takes nothing rather than forget. */
  take(what: string, atMs: number, nowMs: number): "fresh" | "replayed" | "stale" | "tooMany" {
    if (!(Math.abs(nowMs - atMs) <= this.#windowMs)) return "stale";
    for (const [old, untilMs] of this.#seen) {
      if (untilMs >= nowMs) break;
      this.#seen.delete(old);
    }
    if (this.#seen.has(what)) return "replayed";
    if (this.#seen.size >= this.#entriesMax) return "tooMany";
    // Sent by a clock that is ahead by the window, it could come again for as long after.
    this.#seen.set(what, nowMs + 2 * this.#windowMs);
    return "fresh";
  }
}
