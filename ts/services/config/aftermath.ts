import { attempt, FoundationError } from "../../base/errors.ts";

/** Subscribers that change a setting whenever one changes must not do so for ever. */
const NESTED_MAX = 1_000;

/**
 * Does what follows from changes, in the order of the changes: what follows from one that somebody
 * makes who was just told of another comes behind what follows from that.
 */
export class Aftermath {
  readonly #waiting: (() => void)[] = [];
  #nested = 0;
  #isUnderWay = false;

  /** @throws FoundationError `resource_exhausted` where changes have led to too many others */
  checkRoom(): void {
    if (this.#nested < NESTED_MAX) return;
    const text = `subscribers have answered a change with ${NESTED_MAX} others`;
    throw new FoundationError("resource_exhausted", text);
  }

  /** Runs what follows from a change, now or once that is its turn. It handles its own errors. */
  run(follow: () => void): void {
    this.#waiting.push(follow);
    if (this.#isUnderWay) {
      this.#nested += 1;
      return;
    }
    this.#isUnderWay = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      attempt(next);
    }
    this.#isUnderWay = false;
    this.#nested = 0;
  }
}
