import { posix } from "node:path";
import { type Finding, isScript, lineAt, type Rule, type SourceFile } from "../repository.ts";
import { child, parseScript, stringOf, walk } from "../syntax-tree.ts";

/**
 * The floors of ts/, lowest first: a room may import itself and any floor below its own, never a
 * neighbour on the same floor. `base` and `bindings` are looked after apart.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["base", "schema"],
  ["kernel"],
  ["beam"],
  ["distributed"],
  ["services"],
  ["ecosystems", "intelligence", "compat"],
  ["foundation"],
  ["index"],
  ["gateway"],
  ["cli"],
];

// What is loaded by its own name, and on use by those above it. The command serves the gateway, so
// that arrow between leaves is wanted.
const NEVER_IMPORTED: ReadonlyMap<string, readonly string[]> = new Map([
  ["compat", ["foundation", "cli"]],
  ["gateway", ["cli"]],
  ["cli", []],
]);

/** One import as written: who names whom, and where. */
export interface ImportEdge {
  readonly specifier: string;
  readonly offset: number;
  /** `export … from`: only the public list may pass names on. */
  readonly isReexport: boolean;
}

/** The static, dynamic and type imports of one script, in source order. */
export function importsOf(file: SourceFile): ImportEdge[] {
  const edges: ImportEdge[] = [];
  walk(parseScript(file).program, (node) => {
    if (
      !/^(?:Import(?:Declaration|Expression)|TSImportType|Export(?:Named|All)Declaration)$/.test(
        node.type,
      )
    ) {
      return;
    }
    const specifier = stringOf(child(node, "source") ?? child(node, "argument"));
    if (specifier === undefined) return;
    edges.push({ specifier, offset: node.start, isReexport: node.type.startsWith("Export") });
  });
  return edges;
}

/** Imports against the arrows of the four layers, and re-exports outside a room's public list. */
export const scriptArrows: Rule = (files) =>
  files.flatMap((file) => {
    const from = roomOf(file.path);
    if (!isScript(file.path) || from === undefined) return [];
    return importsOf(file).flatMap(({ specifier, offset, isReexport }) => {
      const findings: Finding[] = [];
      const line = lineAt(file.text, offset);
      if (isReexport && !file.path.endsWith("/index.ts")) {
        const reason = `re-exports ${specifier}; only an index.ts passes names on`;
        findings.push({ path: file.path, line, reason });
      }
      const to = specifier.startsWith(".")
        ? roomOf(posix.join(posix.dirname(file.path), specifier))
        : undefined;
      const wrong = to === undefined ? undefined : refusal(from, to);
      if (wrong !== undefined) findings.push({ path: file.path, line, reason: wrong });
      return findings;
    });
  });

/** The room of a product source: a folder of ts/, `index`, or `bindings`. Undefined elsewhere. */
function roomOf(path: string): string | undefined {
  if (path.startsWith("bindings/")) return "bindings";
  const [top, room, ...rest] = path.split("/");
  if (top !== "ts" || room === undefined) return undefined;
  return rest.length === 0 ? room.replace(/\.\w+$/, "") : room;
}

function refusal(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const arrow = `${from} imports ${to}`;
  if (to === "bindings") {
    return from === "kernel" ? undefined : `${arrow}; only kernel may import the bindings`;
  }
  const importers = NEVER_IMPORTED.get(to);
  if (importers !== undefined && !importers.includes(from)) {
    return `${arrow}; nothing may import ${to}`;
  }
  // The loader's errors come from base, which imports nothing and so closes no circle.
  if (from === "bindings") {
    return to === "base" ? undefined : `${arrow}; the boundary knows no room above it`;
  }
  const [fromFloor, toFloor] = [floorOf(from), floorOf(to)];
  if (fromFloor === -1) return `${from} has no floor in the layers; give it one here`;
  if (toFloor === -1) return `${to} has no floor in the layers; give it one here`;
  return toFloor < fromFloor ? undefined : `${arrow}; arrows point down only`;
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}
