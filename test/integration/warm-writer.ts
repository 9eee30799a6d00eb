import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WarmStore, type WarmStoreOptions } from "../../dist/ts/index.js";
import { numberedEvent } from "./fixtures/warm-events.mjs";

const SCRIPT = fileURLToPath(new URL("fixtures/warm-writer.mjs", import.meta.url));
/** Events that are compared at once. */
const PAGE = 5_000;

/** A process that writes events to a warm store and tells which are acknowledged. */
export class WarmWriter {
  /** The greatest id that it has told of. */
  acknowledged = 0;
  /** How it ended, if it said so. */
  ending: string | undefined;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** Starts it; it ends by itself after so many events. */
  constructor(options: WarmStoreOptions, events: number) {
    this.#process = spawn(process.execPath, [SCRIPT, JSON.stringify(options), String(events)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]();
  }

  /** Reads so many lines, or until there are no more. */
  async read(lines: number): Promise<void> {
    for (let read = 0; read < lines; read++) {
      const { done, value } = await this.#lines.next();
      if (done === true) return;
      if (/^\d+$/.test(value)) this.acknowledged = Number(value);
      else this.ending = value;
    }
  }

  /** Kills it where it stands; what it printed before counts. */
  async kill(): Promise<void> {
    const exited =
      this.#process.exitCode ?? this.#process.signalCode ?? once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
    await this.read(Number.POSITIVE_INFINITY);
  }
}

/**
 * Opens a store and reads what it has: events from 1 on without a gap, each with its own bytes.
 * Answers with how many.
 *
 * @throws Error where an event is missing or another one
 */
export async function countWhole(options: WarmStoreOptions): Promise<number> {
  const store = await WarmStore.open(options);
  try {
    const { events } = await store.stats();
    for (let first = 1; first <= events; first += PAGE) {
      const from = numberedEvent(first).timestamp;
      const found = await store.query({ from, to: from + PAGE - 1, limit: PAGE });
      const expected = Math.min(PAGE, events - first + 1);
      if (found.length !== expected) throw new Error(`${found.length} events from ${first} on`);
      for (const [index, bytes] of found.entries()) {
        if (Buffer.compare(bytes, numberedEvent(first + index).bytes) !== 0) {
          throw new Error(`event ${first + index} of ${events} is another one`);
        }
      }
    }
    return events;
  } finally {
    await store.close();
  }
}
