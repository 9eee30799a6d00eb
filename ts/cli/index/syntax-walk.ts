import { type Node, type Program, visitorKeys } from "oxc-parser";

/**
 * Visits every node of a tree once, in no promised order. It keeps its own list instead of
 * recursing, because a source may nest deeper than the call stack reaches.
 */
export function forEachNode(program: Program, visit: (node: Node) => void): void {
  const pending: Node[] = [program];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    const fields = node as unknown as Readonly<Record<string, unknown>>;
    for (const key of visitorKeys[node.type] ?? []) {
      const child = fields[key];
      if (!Array.isArray(child)) {
        if (isNode(child)) pending.push(child);
        continue;
      }
      for (const element of child) if (isNode(element)) pending.push(element);
    }
  }
}

/** Optional children are `null`, and so are the holes of `[, a]`. */
function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
