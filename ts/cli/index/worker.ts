/** Entry of a worker process: joins the coordinator, parses what it is sent, answers, leaves. */
import { Foundation, type FoundationNode } from "../../index.ts";
import { describeFailure } from "../exit.ts";
import { awaitMember } from "./await-member.ts";
import { channelTotals } from "./channel-totals.ts";
import {
  COORDINATOR_NAME,
  decodeFileMessage,
  type FileMessage,
  HANDLERS,
  INDEX_CHANNELS,
  type WorkerAssignment,
  type WorkerNotice,
  type WorkerSummary,
} from "./messages.ts";
import { indexSource } from "./parse.ts";

/** Time for the first contact with the coordinator. Unit: ms. */
const JOIN_TIMEOUT_MS = 20_000;
/** Time to send what is still waiting before the process ends. Unit: ms. */
const LEAVE_DRAIN_MS = 1_000;

class IndexWorker {
  readonly #node: FoundationNode;
  /** Files not parsed yet. Bounded by the window the coordinator keeps for each worker. */
  readonly #queue: FileMessage[] = [];
  #isParsing = false;
  #filesReceived = 0;
  #fileMessageBytes = 0;
  #malformedMessages = 0;
  #parseMs = 0;

  constructor(node: FoundationNode) {
    this.#node = node;
    node.handle(HANDLERS.file, (message) => this.#receive(message));
    node.handle(HANDLERS.ping, (message) => message);
    node.handle(HANDLERS.summary, () => this.#summary());
  }

  #receive(message: unknown): void {
    const file = decodeFileMessage(message);
    if (file === undefined) {
      this.#malformedMessages++;
      return;
    }
    this.#filesReceived++;
    if (message instanceof Uint8Array) this.#fileMessageBytes += message.byteLength;
    this.#queue.push(file);
    if (!this.#isParsing) this.#parseQueue().catch(endProcess);
  }

  async #parseQueue(): Promise<void> {
    this.#isParsing = true;
    for (let file = this.#queue.shift(); file !== undefined; file = this.#queue.shift()) {
      const startedAt = performance.now();
      const record = indexSource(file.path, file.content);
      this.#parseMs += performance.now() - startedAt;
      await this.#answer({ fileId: file.fileId, record });
      // One turn of the event loop after each file: a ping waits for one parse at most.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isParsing = false;
  }

  async #answer(result: object): Promise<void> {
    const to = { node: COORDINATOR_NAME, name: HANDLERS.result };
    while (!this.#node.send(to, result, { channel: "results" })) {
      await this.#node.drained({ to: COORDINATOR_NAME, channel: "results" });
    }
  }

  #summary(): WorkerSummary {
    return {
      filesReceived: this.#filesReceived,
      fileMessageBytes: this.#fileMessageBytes,
      malformedMessages: this.#malformedMessages,
      parseMs: this.#parseMs,
      residentBytes: process.memoryUsage.rss(),
      channels: {
        bulk: channelTotals(this.#node, "bulk"),
        results: channelTotals(this.#node, "results"),
      },
    };
  }
}

function notify(notice: WorkerNotice): void {
  // With a callback a broken pipe is no uncaught error: the coordinator is done with this worker,
  // and the pipe's end stops it.
  process.send?.(notice, undefined, {}, () => {});
}

/** A worker that cannot work must not look alive: it says why and goes. */
function endProcess(failure: unknown): void {
  process.stderr.write(`foundation worker: ${describeFailure(failure)}\n`);
  process.exit(1);
}

async function join(assignment: WorkerAssignment): Promise<FoundationNode> {
  const node = await Foundation.start({
    name: assignment.name,
    cluster: assignment.cluster,
    listen: "127.0.0.1:0",
    seeds: [assignment.seed],
    secret: assignment.secret,
    channels: INDEX_CHANNELS,
  });
  node.on("down", (member) => {
    if (member.name === COORDINATOR_NAME) process.exit(1);
  });
  new IndexWorker(node);
  await awaitMember(node, COORDINATOR_NAME, JOIN_TIMEOUT_MS);
  return node;
}

let joined: FoundationNode | undefined;

process.once("message", (assignment) => {
  join(assignment as WorkerAssignment)
    .then((node) => {
      joined = node;
      notify({ kind: "ready" });
    })
    .catch((failure: unknown) => {
      notify({ kind: "failed", message: describeFailure(failure) });
      process.exitCode = 1;
      process.disconnect();
    });
});

// The pipe closes when the coordinator releases this worker, and also when it dies in any way:
// no worker outlives its coordinator.
process.once("disconnect", () => {
  const left = joined?.leave({ drainMs: LEAVE_DRAIN_MS }) ?? Promise.resolve();
  left.then(() => process.exit(), endProcess);
});

// A terminal sends SIGINT to the whole group; the coordinator decides when its workers end.
process.on("SIGINT", () => {});
