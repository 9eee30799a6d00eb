import type { RecycleOptions } from "./memory-types.ts";

/** Says which workers are to be started anew, and has that done to one after the other. */
export class Recycling {
  readonly #options: RecycleOptions;
  readonly #recycle: (id: string) => Promise<void>;
  readonly #worn = new Set<string>();
  #isBusy = false;

  constructor(options: RecycleOptions, recycle: (id: string) => Promise<void>) {
    this.#options = options;
    this.#recycle = recycle;
  }

  /** A worker has done so many pieces since its start, and takes so much by now. */
  onDone(id: string, pieces: number, usedBytes: number | undefined): void {
    const { afterPieces = Number.POSITIVE_INFINITY, aboveMiB } = this.#options;
    const limitBytes = (aboveMiB ?? Number.POSITIVE_INFINITY) * 2 ** 20;
    if (pieces < afterPieces && (usedBytes ?? 0) <= limitBytes) return;
    this.#worn.add(id);
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    for (const id of this.#worn) {
      this.#worn.delete(id); // it may be worn again before the call is over
      await this.#recycle(id);
    }
    this.#isBusy = false;
  }
}
