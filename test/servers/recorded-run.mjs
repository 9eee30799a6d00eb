import assert from "node:assert/strict";
import { comesTrue } from "./child-processes.mjs";

const WAIT_MS = 60_000;

/** One run of a provider beside a recording: what it told of, and how it ended. */
export class RecordedRun {
  /** The sets so far. */
  sets = [];
  /** Code and message of what ended it. */
  failure;
  #title;
  #abort = new AbortController();

  /** Begins; `self` is the node in whose name the provider asks. */
  constructor(title, provider, self) {
    this.#title = title;
    /** Resolves when the provider has given up, or `stop` was called. */
    this.ended = this.#run(provider, self);
  }

  async #run(provider, self) {
    const context = {
      self,
      signal: this.#abort.signal,
      clock: {
        now: () => performance.now(),
        wallNow: () => Date.now(),
        after: (delayMs, run) => clearTimeout.bind(undefined, setTimeout(run, delayMs)),
      },
      random: () => 0.5,
      note: () => {},
    };
    try {
      for await (const set of provider.candidates(context)) this.sets.push(set);
    } catch (thrown) {
      this.failure = { code: thrown.code, message: thrown.message };
    }
  }

  /** Resolves when the last set is of these addresses and no others. */
  async told(addresses) {
    const last = () => (this.sets.at(-1)?.candidates ?? []).map(({ address }) => address).sort();
    await this.until(addresses.join(), () => {
      return this.sets.length > 0 && last().join() === addresses.join();
    });
  }

  /** Resolves when it is so. */
  async until(what, isSo) {
    const isTrue = await comesTrue(isSo, WAIT_MS);
    const { sets, failure } = this;
    assert.ok(isTrue, `${this.#title}: ${what}: ${JSON.stringify({ sets, failure })}`);
  }

  /** Wants no more. */
  async stop() {
    this.#abort.abort();
    await this.ended;
  }
}
