/** Import cycles of a graph, as strongly connected components. */
export interface CycleFigures {
  /** Components of several modules, or of one that imports itself. */
  readonly cycles: number;
  /** Modules in the largest of them; 0 without cycles. */
  readonly largestCycleModules: number;
}

const UNSEEN = -1;

/**
 * Counts cycles with Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972).
 * `edges[i]` lists the successors of node `i`. It keeps its own stack, because import chains are
 * longer than the call stack is deep.
 */
export function countCycles(edges: readonly (readonly number[])[]): CycleFigures {
  return new ComponentSearch(edges).run();
}

class ComponentSearch {
  readonly #edges: readonly (readonly number[])[];
  /** Order of discovery of each node. */
  readonly #index: Int32Array;
  /** Smallest order of discovery that the node is known to reach. */
  readonly #low: Int32Array;
  readonly #isOpen: Uint8Array;
  /** Discovered nodes whose component is not complete. */
  readonly #open: number[] = [];
  /** The path of the depth-first search, and how many successors of each node were tried. */
  readonly #path: { readonly node: number; tried: number }[] = [];
  #discovered = 0;
  #cycles = 0;
  #largestCycleModules = 0;

  constructor(edges: readonly (readonly number[])[]) {
    this.#edges = edges;
    this.#index = new Int32Array(edges.length).fill(UNSEEN);
    this.#low = new Int32Array(edges.length);
    this.#isOpen = new Uint8Array(edges.length);
  }

  run(): CycleFigures {
    for (let node = 0; node < this.#edges.length; node++) {
      if (this.#index[node] !== UNSEEN) continue;
      this.#discover(node);
      while (this.#path.length > 0) this.#step();
    }
    return { cycles: this.#cycles, largestCycleModules: this.#largestCycleModules };
  }

  #discover(node: number): void {
    this.#index[node] = this.#discovered;
    this.#low[node] = this.#discovered;
    this.#discovered++;
    this.#isOpen[node] = 1;
    this.#open.push(node);
    this.#path.push({ node, tried: 0 });
  }

  #step(): void {
    const top = this.#path.at(-1);
    if (top === undefined) return;
    const next = this.#edges[top.node]?.[top.tried];
    if (next === undefined) {
      this.#path.pop();
      this.#leave(top.node);
      return;
    }
    top.tried++;
    if (this.#index[next] === UNSEEN) this.#discover(next);
    else if (this.#isOpen[next] === 1) this.#lower(top.node, this.#index[next] ?? 0);
  }

  #leave(node: number): void {
    const low = this.#low[node] ?? 0;
    const parent = this.#path.at(-1);
    if (parent !== undefined) this.#lower(parent.node, low);
    if (low !== this.#index[node]) return;
    let modules = 0;
    let member: number | undefined;
    do {
      member = this.#open.pop();
      if (member === undefined) break;
      this.#isOpen[member] = 0;
      modules++;
    } while (member !== node);
    const importsItself = this.#edges[node]?.includes(node) ?? false;
    if (modules < 2 && !importsItself) return;
    this.#cycles++;
    this.#largestCycleModules = Math.max(this.#largestCycleModules, modules);
  }

  #lower(node: number, low: number): void {
    this.#low[node] = Math.min(this.#low[node] ?? 0, low);
  }
}
