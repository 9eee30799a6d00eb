import { type Comment, parseSync } from "oxc-parser";
import type { SourceFile } from "./repository.ts";

/** Any node of an ESTree tree: rules look at the few fields they know and check each first. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** What rules need of one parsed file. */
export interface ParsedScript {
  readonly program: SyntaxNode;
  readonly comments: readonly Comment[];
}

const parsed = new WeakMap<SourceFile, ParsedScript>();

/** Parses a file once, however many rules ask. A syntax error throws: the compiler reports it. */
export function parseScript(file: SourceFile): ParsedScript {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const { program, comments, errors } = parseSync(file.path, file.text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file.path} does not parse: ${error.message}`);
  const result: ParsedScript = { program: program as unknown as SyntaxNode, comments };
  parsed.set(file, result);
  return result;
}

/** True for anything that carries a node type; the tree also holds plain values and lists. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value;
}

/** The node in a field, if there is one. */
export function child(node: SyntaxNode, field: string): SyntaxNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in a list field; holes and plain values are left out. */
export function children(node: SyntaxNode, field: string): SyntaxNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier, private name or string key; undefined for anything computed. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (typeof node.name === "string") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** The value of a string literal or of a template without placeholders. */
export function stringOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || children(node, "expressions").length > 0)
    return undefined;
  const value = children(node, "quasis")[0]?.value;
  return (value as { cooked?: string } | undefined)?.cooked;
}

/** Visits a tree from the root down, each node with its parent. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => void,
  parent?: SyntaxNode,
): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    if (isNode(value)) walk(value, visit, node);
    else if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) walk(item, visit, node);
    }
  }
}

/** The text of the doc comment that ends right above `offset`, without its frame of stars. */
export function docAbove(file: SourceFile, offset: number): string | undefined {
  const { comments } = parseScript(file);
  const comment = comments.findLast(({ end }) => end <= offset);
  if (comment?.type !== "Block" || !comment.value.startsWith("*")) return undefined;
  if (file.text.slice(comment.end, offset).trim() !== "") return undefined;
  return comment.value
    .slice(1)
    .replaceAll(/^\s*\* ?/gm, "")
    .trim();
}
