import { countCycles } from "./cycles.ts";
import { comparePaths, type FileRecord } from "./record.ts";
import { resolveSpecifier } from "./resolve.ts";

/** A name with how many files import it. */
export interface ImportCount {
  readonly name: string;
  readonly importers: number;
}

/** The import graph of a corpus in figures. Type imports and `require` count as imports. */
export interface GraphFigures {
  /** Files; each is a module of the graph. */
  readonly modules: number;
  /** Pairs of files of which the first imports the second. */
  readonly edges: number;
  /** Different packages that are imported by name. */
  readonly packages: number;
  /** Imports of modules of Node itself. */
  readonly builtinImports: number;
  /** Relative imports of files that are no sources, such as JSON. */
  readonly assetImports: number;
  /** Relative imports that lead to no file of the corpus. */
  readonly unresolvedImports: number;
  /** URLs, absolute paths and `#names`. */
  readonly otherImports: number;
  /** Groups of files that import each other in a circle. */
  readonly cycles: number;
  /** Files in the largest of these groups. */
  readonly largestCycleModules: number;
  /** Files imported by most others, most first. */
  readonly mostImportedModules: readonly ImportCount[];
  /** Packages imported by most files, most first. */
  readonly mostImportedPackages: readonly ImportCount[];
}

const MOST_IMPORTED = 5;

/** Builds the import graph of all records. Pure, and the same for any order of them. */
export function graphFigures(records: readonly FileRecord[]): GraphFigures {
  const indexOf = new Map(records.map((record, index) => [record.path, index]));
  const paths: ReadonlySet<string> = new Set(indexOf.keys());
  const counts = { builtin: 0, asset: 0, unresolved: 0, other: 0 };
  const moduleImporters = new Map<string, number>();
  const packageImporters = new Map<string, number>();
  const edges: number[][] = [];
  for (const record of records) {
    const modules = new Set<string>();
    const packages = new Set<string>();
    for (const specifier of record.imports) {
      const target = resolveSpecifier(specifier, record.path, paths);
      if (target.kind === "module") modules.add(target.path);
      else if (target.kind === "package") packages.add(target.name);
      else counts[target.kind]++;
    }
    for (const path of modules) increment(moduleImporters, path);
    for (const name of packages) increment(packageImporters, name);
    edges.push([...modules].map((path) => indexOf.get(path) ?? 0));
  }
  return {
    modules: records.length,
    edges: edges.reduce((sum, targets) => sum + targets.length, 0),
    packages: packageImporters.size,
    builtinImports: counts.builtin,
    assetImports: counts.asset,
    unresolvedImports: counts.unresolved,
    otherImports: counts.other,
    ...countCycles(edges),
    mostImportedModules: mostImported(moduleImporters),
    mostImportedPackages: mostImported(packageImporters),
  };
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function mostImported(counts: ReadonlyMap<string, number>): ImportCount[] {
  return [...counts]
    .map(([name, importers]) => ({ name, importers }))
    .sort((left, right) => right.importers - left.importers || comparePaths(left.name, right.name))
    .slice(0, MOST_IMPORTED);
}
