import { type AnalysedNode, analyze } from "./analysis.ts";
import type { AnalysisOptions, MemoryAnalysis } from "./analysis-types.ts";
import { type AtomId, AtomTable } from "./atoms.ts";
import { type BinaryOptions, type OptimizedBinary, optimizeBinary } from "./binaries.ts";
import { LabelGuard, type LabelOptions } from "./labels.ts";

/** What an isolate knows of its memory, and ways to bound and save it. */
export class Memory {
  /** The table of {@link safeAtom}. */
  readonly atoms: AtomTable = new AtomTable();
  readonly #node: AnalysedNode;

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
    return analyze(this.#node, this.atoms.counts(), options);
  }

  /**
   * The number of a text in this isolate's atom table. For one with other bounds, make an
   * `AtomTable`.
   *
   * @throws FoundationError `interner_full`
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

  /** Lets go of everything: the isolate leaves its node. */
  close(): void {
    this.atoms.clear();
  }
}
