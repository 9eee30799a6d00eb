import type { Pid } from "../../base/pid.ts";
import type { ProcessRuntime } from "../runtime.ts";
import type { WorkPayloads } from "./work-payloads.ts";
import type { MeasuredAnswer, Work } from "./worker-body.ts";

/** A piece of work that is done. */
export interface WorkDone {
  readonly value: unknown;
  /** What the worker's isolate has taken by then, where that was asked. Unit: bytes. */
  readonly usedBytes: number | undefined;
}

/** Brings work to workers. */
export class WorkCalls {
  readonly #runtime: ProcessRuntime;
  readonly #isMeasured: boolean;
  readonly #payloads: WorkPayloads | undefined;

  constructor(runtime: ProcessRuntime, isMeasured: boolean, payloads: WorkPayloads | undefined) {
    this.#runtime = runtime;
    this.#isMeasured = isMeasured;
    this.#payloads = payloads;
  }

  /** Resolves when the worker has done it. Bytes in shared memory are free again then. */
  async call(worker: Pid, work: Pick<Work, "how" | "message">): Promise<WorkDone> {
    const apart = this.#payloads?.share(worker.toString(), work.message);
    const sent: Work = {
      kind: "ecosystem.work",
      how: work.how,
      message: work.message,
      ...(apart !== undefined && { message: apart.message, apart: apart.apart }),
      ...(this.#isMeasured && { isMeasured: true }),
    };
    try {
      // How long work may take is the caller's to say.
      const options = { timeoutMs: Number.POSITIVE_INFINITY };
      const answer = await this.#runtime.call(worker, sent, options);
      if (!this.#isMeasured) return { value: answer, usedBytes: undefined };
      const { value, usedBytes } = answer as MeasuredAnswer;
      return { value, usedBytes };
    } finally {
      apart?.release();
    }
  }
}
