import { FoundationError } from "../../base/errors.ts";
import { type AnalysedNode, analyze } from "./analysis.ts";
import type { AnalysisOptions, MemoryAnalysis } from "./analysis-types.ts";
import { type AtomId, AtomTable } from "./atoms.ts";
import { type BinaryOptions, type OptimizedBinary, optimizeBinary } from "./binaries.ts";
import { LabelGuard, type LabelOptions } from "./labels.ts";
import { SharedBinaries } from "./shared-binaries.ts";
import type { SharedBinariesOptions } from "./shared-binaries-types.ts";

/** What an isolate knows of its memory, and ways to bound and save it. */
export class Memory {
  /** The table of {@link safeAtom}. */
  readonly atoms: AtomTable = new AtomTable();
  readonly #node: AnalysedNode;
  readonly #pools = new Set<SharedBinaries>();
  #isClosed = false;

  constructor(node: AnalysedNode) {
    this.#node = node;
  }

  /**
   * Figures of this isolate's heap, all isolates of the node, its shared memory, the process and
   * its control group, and what they speak for. It waits for isolates that do not answer.
   *
   * @throws FoundationError `invalid_options`, `node_left`
   */
  async analyzeMemory(options: AnalysisOptions = {}): Promise<MemoryAnalysis> {
    this.#checkOpen();
    const pools = [...this.#pools].map((pool) => pool.counts());
    return analyze(this.#node, { atoms: this.atoms.counts(), pools }, options);
  }

  /**
   * The number of a text in this isolate's atom table. For one with other bounds, make an
   * `AtomTable`.
   *
   * @throws FoundationError `interner_full`, `invalid_options` for what is no text
   */
  safeAtom(text: string): AtomId {
    return this.atoms.intern(text);
  }

  /** The text of a number of {@link safeAtom}. */
  atomText(id: AtomId): string | undefined {
    return this.atoms.textOf(id);
  }

  /**
   * A guard that bounds the label sets of a metric.
   *
   * @throws FoundationError `invalid_options`
   */
  guardLabels(options: LabelOptions = {}): LabelGuard {
    return new LabelGuard(options);
  }

  /**
   * Keeps bytes where they cost least: on the heap, shared, or compressed.
   *
   * @throws FoundationError `invalid_options`
   */
  optimizeBinary(bytes: Uint8Array, options: BinaryOptions = {}): OptimizedBinary {
    return optimizeBinary(bytes, options);
  }

  /**
   * A pool of counted binaries in shared memory, closed when the isolate leaves its node.
   *
   * @throws FoundationError `invalid_options`, `node_left`
   */
  sharedBinaries(options: SharedBinariesOptions = {}): SharedBinaries {
    this.#checkOpen();
    const pool = new SharedBinaries(options, () => this.#pools.delete(pool));
    this.#pools.add(pool);
    return pool;
  }

  /** Lets go of everything: the isolate leaves its node. */
  close(): void {
    this.#isClosed = true;
    this.atoms.clear();
    for (const pool of this.#pools) pool.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new FoundationError("node_left", "this isolate has left its node");
  }
}
