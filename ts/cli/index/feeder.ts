import type { FoundationNode } from "../../index.ts";
import { describeFailure } from "../exit.ts";
import type { Change } from "./change.ts";
import type { Corpus } from "./corpus.ts";
import type { Dispatch } from "./dispatch.ts";
import { encodeFileMessage, fileMessageOverheadBytes, HANDLERS } from "./messages.ts";
import type { SkippedFile } from "./record.ts";
import { readSource } from "./source.ts";

/** What a feeder works with, and whom it tells. */
export interface FeederParts {
  readonly node: FoundationNode;
  readonly corpus: Corpus;
  /** Larger files are skipped. Unit: bytes. */
  readonly fileBytesMax: number;
  readonly dispatch: Dispatch;
  /** Notified whenever a worker may get more. */
  readonly change: Change;
  /** Hears of each file that the runtime accepted. */
  readonly onSent: (worker: string, fileId: number, bytes: SentBytes) => void;
  /** Hears of each file that is left out. */
  readonly onSkipped: (skipped: SkippedFile) => void;
  /** The runtime refused to send to this worker, for another reason than a full queue. */
  readonly onBroken: (worker: string, reason: string) => void;
  /** Ends all feeding. */
  readonly signal: AbortSignal;
}

/** Size of one file message, split by what the bytes are. Unit: bytes. */
export interface SentBytes {
  readonly contentBytes: number;
  readonly headerBytes: number;
}

/** Reads files and sends each to the worker that took it, no faster than the worker keeps up. */
export class Feeder {
  readonly #parts: FeederParts;

  constructor(parts: FeederParts) {
    this.#parts = parts;
  }

  /** Feeds one worker until every file has an outcome, its parser has ended, or a signal. */
  async feed(worker: string, ended: AbortSignal): Promise<void> {
    const { dispatch, change, signal } = this.#parts;
    while (!dispatch.isSettled && dispatch.workers.includes(worker)) {
      if (signal.aborted || ended.aborted) return;
      const fileId = dispatch.take(worker);
      if (fileId === undefined) await change.next();
      else await this.#feedOne(worker, fileId);
    }
  }

  async #feedOne(worker: string, fileId: number): Promise<void> {
    const { corpus, dispatch, change, fileBytesMax } = this.#parts;
    const path = corpus.files[fileId]?.path ?? "";
    const source = await readSource(corpus.root, path, fileBytesMax);
    // While the file was read its worker may have been lost; then another one has it by now.
    if (!dispatch.holds(worker, fileId)) return;
    if (source.kind === "skipped") {
      dispatch.skip(fileId);
      this.#parts.onSkipped(source.skipped);
      change.notify();
      return;
    }
    const { content } = source;
    if (!(await this.#send(worker, encodeFileMessage({ fileId, path, content })))) return;
    const headerBytes = fileMessageOverheadBytes(path);
    this.#parts.onSent(worker, fileId, { contentBytes: content.byteLength, headerBytes });
  }

  /** False if the worker was lost before the runtime accepted the message. */
  async #send(worker: string, message: Uint8Array): Promise<boolean> {
    const { node, dispatch, signal } = this.#parts;
    const to = { node: worker, name: HANDLERS.file };
    try {
      while (!node.send(to, message, { channel: "bulk" })) {
        await node.drained({ to: worker, channel: "bulk", signal });
        if (!dispatch.workers.includes(worker)) return false;
      }
      return true;
    } catch (failure) {
      if (signal.aborted) return false;
      this.#parts.onBroken(worker, describeFailure(failure));
      return false;
    }
  }
}
