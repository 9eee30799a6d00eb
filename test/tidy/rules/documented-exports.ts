import { type Finding, isScript, lineAt, type Rule, type SourceFile } from "../repository.ts";
import { child, children, docAbove, nameOf, parseScript, type SyntaxNode } from "../syntax-tree.ts";

// Files whose only export is for a tool that wants it nameless.
const TOOL_FILES = /^(?:vitest|eslint)\.config\.(?:ts|mjs)$/;

const DOC_WORDS_MIN = 4;

/** Exported names without a doc comment, or with one too short to say more than the name does. */
export const documentedExports: Rule = (files) =>
  files.flatMap((file) => {
    if (!isScript(file.path) || TOOL_FILES.test(file.path)) return [];
    return exportedDeclarations(parseScript(file).program).flatMap(
      ({ name, offset }): Finding[] => {
        const problem = problemOf(file, offset);
        if (problem === undefined) return [];
        return [{ path: file.path, line: lineAt(file.text, offset), reason: `${name} ${problem}` }];
      },
    );
  });

function problemOf(file: SourceFile, offset: number): string | undefined {
  const doc = docAbove(file, offset);
  if (doc === undefined) return "is exported without a doc comment";
  if (doc.split(/\s+/).length >= DOC_WORDS_MIN) return undefined;
  return "has a doc comment that says no more than its name";
}

interface Exported {
  readonly name: string;
  /** Where the doc comment has to end: the start of the statement that declares the name. */
  readonly offset: number;
}

function exportedDeclarations(program: SyntaxNode): Exported[] {
  const declared = new Map<string, number>();
  const exported = new Map<string, number>();
  for (const statement of children(program, "body")) {
    const declaration = child(statement, "declaration") ?? statement;
    for (const name of namesOf(declaration)) {
      // The first declaration carries the doc: overloads follow their first signature.
      if (!declared.has(name)) declared.set(name, statement.start);
      if (statement.type === "ExportNamedDeclaration" && !exported.has(name)) {
        exported.set(name, declared.get(name) as number);
      }
    }
  }
  for (const statement of children(program, "body")) {
    if (child(statement, "source") !== undefined) continue;
    for (const specifier of children(statement, "specifiers")) {
      const name = nameOf(child(specifier, "local"));
      const offset = name === undefined ? undefined : declared.get(name);
      if (name !== undefined && offset !== undefined) exported.set(name, offset);
    }
  }
  return [...exported].map(([name, offset]) => ({ name, offset }));
}

function namesOf(declaration: SyntaxNode): string[] {
  const holders =
    declaration.type === "VariableDeclaration"
      ? children(declaration, "declarations")
      : [declaration];
  return holders.flatMap((holder) => nameOf(child(holder, "id")) ?? []);
}
