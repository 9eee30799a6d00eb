import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Foundation, type FoundationNode, type FoundationOptions } from "../../dist/ts/index.js";

const SCRIPT = fileURLToPath(new URL("./attached-worker.mjs", import.meta.url));

/** A worker that is attached to a node and does what it is told. */
export class WorkerUnderTest {
  readonly worker: Worker;

  private constructor(worker: Worker) {
    this.worker = worker;
  }

  /** Starts a worker; its names begin with `prefix` and are known to `node` when this resolves. */
  static async start(node: FoundationNode, prefix: string): Promise<WorkerUnderTest> {
    const worker = new Worker(SCRIPT, { workerData: { node: node.name, prefix } });
    const under = new WorkerUnderTest(worker);
    await under.#answer();
    await known(node, `${prefix}.echo`);
    return under;
  }

  async #answer(): Promise<unknown> {
    const failed = new AbortController();
    const { signal } = failed;
    const exit = once(this.worker, "exit", { signal }).then(([code]) => {
      throw new Error(`the worker left with ${String(code)}`);
    });
    exit.catch(() => {});
    try {
      const [answer] = (await Promise.race([once(this.worker, "message", { signal }), exit])) as [
        unknown,
      ];
      return answer;
    } finally {
      failed.abort();
    }
  }

  /** Gives a command of attached-worker.mjs and resolves with its answer. */
  async tell<Answer>(command: string, argument?: unknown): Promise<Answer> {
    const answer = this.#answer();
    this.worker.postMessage({ command, argument });
    return answer as Promise<Answer>;
  }

  /** Resolves with the exit code once the worker is gone. */
  async terminate(): Promise<number> {
    return this.worker.terminate();
  }
}

/** Resolves once an isolate has heard which one handles a name: the news takes a moment. */
export async function known(node: FoundationNode, name: string): Promise<void> {
  for (const deadlineMs = performance.now() + 10_000; performance.now() < deadlineMs; ) {
    const { ok } = await node.call({ node: node.name, name }, 0).then(
      () => ({ ok: true }),
      (error: { code: string }) => ({ ok: error.code !== "noproc" }),
    );
    if (ok) return;
    await turn();
  }
  throw new Error(`nobody handles '${name}' in '${node.name}'`);
}

/** Resolves once a figure has the expected value, or with what it was at the deadline. */
export async function settled<Value>(read: () => Value, expected: Value): Promise<Value> {
  const deadlineMs = performance.now() + 10_000;
  let value = read();
  while (value !== expected && performance.now() < deadlineMs) {
    await turn();
    value = read();
  }
  return value;
}

/** Two nodes of this process that know each other. */
export async function startPair(
  options: FoundationOptions = {},
): Promise<[FoundationNode, FoundationNode]> {
  const home = await Foundation.start({ ...options, name: "home" });
  const peer = await Foundation.start({ ...options, name: "peer", seeds: [home.address] });
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
  return [home, peer];
}
