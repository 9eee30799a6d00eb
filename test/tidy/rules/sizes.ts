import { type Finding, isGenerated, isRust, isScript, lineAt, type Rule } from "../repository.ts";
import { maskRust, rustFunctions } from "../rust-text.ts";
import { child, nameOf, parseScript, type SyntaxNode, walk } from "../syntax-tree.ts";

const FILE_LINES_MAX = 800;
const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;

// Prose wraps in tables and links only at the cost of their meaning, so it is left out.
const MEASURED = /\.(?:ts|mts|mjs|js|rs|cc|h|fbs|sh|py|toml|yml|gyp)$|(?:^|\/)\.ci\/run$/;

/** Files of more than 800 lines: by then they hold several ideas and nobody reads them whole. */
export const fileLength: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    if (isGenerated(path) || !MEASURED.test(path)) return [];
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    if (lines <= FILE_LINES_MAX) return [];
    return [{ path, line: 1, reason: `${lines} lines; a file has at most ${FILE_LINES_MAX}` }];
  });

/** Lines of more than 100 columns. A line that is long because of one link may stay. */
export const lineColumns: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    if (isGenerated(path) || !MEASURED.test(path)) return [];
    const findings: Finding[] = [];
    for (const [index, line] of text.split("\n").entries()) {
      const columns = [...line].length;
      if (columns <= LINE_COLUMNS_MAX || /https?:\/\/\S{40}/.test(line)) continue;
      const reason = `${columns} columns; a line has at most ${LINE_COLUMNS_MAX}`;
      findings.push({ path, line: index + 1, reason });
    }
    return findings;
  });

/** Functions of more than 70 lines, counted from their first line to their closing brace. */
export const functionLength: Rule = (files) =>
  files.flatMap((file) => {
    const spans = isScript(file.path)
      ? scriptFunctions(parseScript(file).program)
      : isRust(file.path)
        ? rustFunctions(maskRust(file))
        : [];
    return spans.flatMap(({ name, start, end }) => {
      const line = lineAt(file.text, start);
      const lines = lineAt(file.text, end) - line + 1;
      if (lines <= FUNCTION_LINES_MAX) return [];
      const reason = `${name} has ${lines} lines; a function has at most ${FUNCTION_LINES_MAX}`;
      return [{ path: file.path, line, reason }];
    });
  });

interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function scriptFunctions(program: SyntaxNode): Span[] {
  const spans: Span[] = [];
  walk(program, (node, parent) => {
    if (!/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      return;
    }
    if (parent !== undefined && isSuite(parent)) return;
    const name = nameOf(child(node, "id")) ?? (parent && nameOf(child(parent, "key")));
    spans.push({ name: name ?? "a function", start: node.start, end: node.end });
  });
  return spans;
}

// The callback of `describe` is a list of tests, not a function anybody has to follow.
function isSuite(call: SyntaxNode): boolean {
  if (call.type !== "CallExpression") return false;
  // Down to the first name of `describe`, `describe.each(…)` and `describe.skipIf(…)`.
  let base = child(call, "callee");
  while (base?.type === "CallExpression" || base?.type === "MemberExpression") {
    base = child(base, base.type === "CallExpression" ? "callee" : "object");
  }
  return nameOf(base) === "describe";
}
