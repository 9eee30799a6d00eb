import { availableParallelism } from "node:os";

/** A shorter time says more about the question than about the load. Unit: ms. */
const MEASURED_MS_MIN = 200;

/** What a node's process uses of its machine. */
export interface NodeLoad {
  /** CPUs that the process may use. Unit: cores. */
  readonly cores: number;
  /** CPU time of all its threads in the time since it was last asked. Unit: cores. */
  readonly busyCores: number;
}

/** Measures the CPU time of this process between questions. */
export class LoadMeter {
  #atMs = performance.now();
  #usedMs = usedMs();
  #busyCores = 0;

  /** What it used since the last question that is not too young. */
  read(): NodeLoad {
    const nowMs = performance.now();
    const tookMs = nowMs - this.#atMs;
    if (tookMs >= MEASURED_MS_MIN) {
      const nowUsedMs = usedMs();
      this.#busyCores = (nowUsedMs - this.#usedMs) / tookMs;
      this.#usedMs = nowUsedMs;
      this.#atMs = nowMs;
    }
    return { cores: availableParallelism(), busyCores: this.#busyCores };
  }
}

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
