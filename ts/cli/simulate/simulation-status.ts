import type { WriteStream } from "node:tty";
import type { SimulationProgress } from "../../kernel/simulation.ts";

/** Least time between two drawings. Unit: ms. */
const DRAW_MS = 100;

/** One line on a terminal that tells how far a run has come; nothing where there is no terminal. */
export class SimulationStatus {
  readonly #out: Pick<WriteStream, "isTTY" | "write">;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(out: Pick<WriteStream, "isTTY" | "write">) {
    this.#out = out;
  }

  /** Draws how far a run has come, at most ten times a second. */
  show(seed: number, { phase, virtualMs, nodesUp, steps }: SimulationProgress): void {
    const nowMs = performance.now();
    if (!this.#out.isTTY || nowMs - this.#drawnAtMs < DRAW_MS) return;
    this.#drawnAtMs = nowMs;
    const time = `${(virtualMs / 1_000).toFixed(1)} s of virtual time`;
    const counts = `${nodesUp} nodes up, ${(steps / 1_000_000).toFixed(1)} million steps`;
    this.#out.write(`\r\u001B[Kseed ${seed}: ${phase}, ${time}, ${counts}`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawnAtMs === Number.NEGATIVE_INFINITY) return;
    this.#out.write("\r\u001B[K");
    this.#drawnAtMs = Number.NEGATIVE_INFINITY;
  }
}
