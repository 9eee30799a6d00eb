import type { FoundationNode, Pid, ProcessBody, Self } from "../../index.ts";
import { describeFailure } from "../exit.ts";
import { channelTotals } from "./channel-totals.ts";
import {
  COORDINATOR_NAME,
  decodeFileMessage,
  type FileCrash,
  type FileMessage,
  HANDLERS,
  PARSER_FACTORY,
  type WorkerSummary,
} from "./messages.ts";
import { indexSource } from "./parse.ts";
import type { FileRecord } from "./record.ts";

/** Describes one source; what it throws ends the parser process, not the worker. */
export type IndexFile = (path: string, content: Uint8Array) => FileRecord;

/**
 * The part of a worker that lives as long as its node: it takes the files in and counts. The
 * parsing is done by a process that the coordinator starts here, and starts again if it crashes.
 */
export class IndexWorker {
  readonly #node: FoundationNode;
  readonly #index: IndexFile;
  /** Files not parsed yet. Bounded by the window the coordinator keeps for each worker. */
  #queue: FileMessage[] = [];
  #parser: Pid | undefined;
  #isParsing = false;
  #filesReceived = 0;
  #fileMessageBytes = 0;
  #malformedMessages = 0;
  #parseMs = 0;

  constructor(node: FoundationNode, index: IndexFile = indexSource) {
    this.#node = node;
    this.#index = index;
    node.handle(HANDLERS.file, (message) => this.#receive(message));
    node.handle(HANDLERS.ping, (message) => message);
    node.handle(HANDLERS.summary, () => this.#summary());
    node.beam.processes.offer(PARSER_FACTORY, () => this.#parserBody());
  }

  #receive(message: unknown): void {
    const file = decodeFileMessage(message);
    if (file === undefined) {
      this.#malformedMessages++;
      return;
    }
    this.#filesReceived++;
    if (message instanceof Uint8Array) this.#fileMessageBytes += message.byteLength;
    const parser = this.#parser;
    // Without a parser the file is another worker's by now, or will be: its crash is on the way.
    if (parser === undefined || !this.#node.beam.processes.isAlive(parser)) return;
    this.#queue.push(file);
    if (this.#isParsing) return;
    this.#isParsing = true;
    this.#node.beam.processes.send(parser, "files");
  }

  #parserBody(): ProcessBody {
    return {
      init: (self) => {
        // What the one before left undone has been given to others.
        this.#queue = [];
        this.#isParsing = false;
        this.#parser = self.pid;
      },
      handle: (_message, self) => this.#parseQueue(self),
    };
  }

  async #parseQueue(self: Self): Promise<void> {
    const { processes } = this.#node.beam;
    const queue = this.#queue;
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const crash = await this.#parseOne(file);
      if (crash !== undefined) self.exit(crash);
      // One turn of the event loop after each file: a ping waits for one parse at most.
      await new Promise((resolve) => setImmediate(resolve));
      if (!processes.isAlive(self.pid)) return;
    }
    this.#isParsing = false;
  }

  /** What went wrong with the file itself, or nothing. */
  async #parseOne({ fileId, path, content }: FileMessage): Promise<FileCrash | undefined> {
    try {
      const startedAt = performance.now();
      const record = this.#index(path, content);
      this.#parseMs += performance.now() - startedAt;
      await this.#answer({ fileId, record });
      return undefined;
    } catch (thrown) {
      return { kind: "file-crash", fileId, problem: describeFailure(thrown) };
    }
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
