import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Foundation, type FoundationNode } from "../../dist/ts/index.js";

/** What a worker answers. */
export interface Answer {
  readonly value?: unknown;
  readonly code?: string;
}

/** The nodes and workers of a test, which are gone after it. */
export class ServiceScene {
  readonly #cleanups: (() => unknown)[] = [];

  /** Runs when the test is over, behind what was asked for later. */
  atEnd(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async start(...options: Parameters<typeof Foundation.start>): Promise<FoundationNode> {
    const node = await Foundation.start(...options);
    this.atEnd(async () => node.leave());
    return node;
  }

  /** A worker that has attached; the function has it do something and resolves with the answer. */
  async startWorker(
    program: string,
  ): Promise<(act: string, ...args: unknown[]) => Promise<Answer>> {
    const worker = new Worker(program);
    this.atEnd(async () => worker.terminate());
    await once(worker, "message");
    return async (act, ...args) => {
      const answer = once(worker, "message");
      worker.postMessage({ act, args });
      return ((await answer) as [Answer])[0];
    };
  }

  async end(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}
