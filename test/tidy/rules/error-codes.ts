import {
  type Finding,
  isRust,
  isScript,
  lineAt,
  type Rule,
  type SourceFile,
} from "../repository.ts";
import { maskRust, rustFunctions } from "../rust-text.ts";
import {
  child,
  children,
  nameOf,
  parseScript,
  type SyntaxNode,
  stringOf,
  walk,
} from "../syntax-tree.ts";

const DOCUMENT = "docs/errors.md";
const CODE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

interface CodeUse {
  readonly path: string;
  readonly line: number;
  readonly code: string;
}

/** Error classes without a code, codes of a wrong form, and codes that no manual explains. */
export const errorCodes: Rule = (files) => {
  const uses = files.flatMap((file) =>
    isProductScript(file) ? scriptCodes(file) : isProductRust(file) ? rustCodes(file) : [],
  );
  const manual = files.find(({ path }) => path === DOCUMENT);
  return [
    ...files.filter(isProductScript).flatMap(classesWithoutCode),
    ...uses.flatMap((use) => problemOf(use, manual)),
    ...(manual === undefined ? [] : staleEntries(manual, files)),
  ];
};

function isProductScript({ path }: SourceFile): boolean {
  return isScript(path) && /^(?:ts|bindings)\/.*\.ts$/.test(path);
}

function isProductRust({ path }: SourceFile): boolean {
  return isRust(path) && /^(?:native|bindings)\/[\w-]+\/src\//.test(path);
}

function problemOf({ path, line, code }: CodeUse, manual: SourceFile | undefined): Finding[] {
  if (!CODE.test(code)) return [{ path, line, reason: `code "${code}" is not snake_case` }];
  if (manual?.text.includes(`\`${code}\``) === true) return [];
  return [{ path, line, reason: `code ${code} is missing in ${DOCUMENT}` }];
}

function scriptCodes(file: SourceFile): CodeUse[] {
  const uses: CodeUse[] = [];
  const add = (node: SyntaxNode, code: string | undefined): void => {
    if (code === undefined) return;
    uses.push({ path: file.path, line: lineAt(file.text, node.start), code });
  };
  walk(parseScript(file).program, (node) => {
    if (isErrorClass(node)) add(node, codeOf(node));
    const isThrown = nameOf(child(node, "callee")) === "FoundationError";
    if (node.type === "NewExpression" && isThrown)
      add(node, stringOf(children(node, "arguments")[0]));
    // `ERROR_CODES` spreads the tables whose names end like it.
    const table = nameOf(child(node, "id"));
    if (table?.endsWith("ERROR_CODES") !== true) return;
    walk(node, (entry) => {
      if (entry.type === "Property") add(entry, nameOf(child(entry, "key")));
      if (entry.type === "ArrayExpression" && table === "ERROR_CODES") {
        for (const element of children(entry, "elements")) add(element, stringOf(element));
      }
    });
  });
  return uses;
}

function classesWithoutCode(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(parseScript(file).program, (node) => {
    // The base class takes its code as an argument; everything below it has to settle one.
    if (!isErrorClass(node) || node.abstract === true || takesCode(node)) return;
    if (codeOf(node) !== undefined) return;
    const reason = `error class ${nameOf(child(node, "id"))} has no code`;
    findings.push({ path: file.path, line: lineAt(file.text, node.start), reason });
  });
  return findings;
}

function isErrorClass(node: SyntaxNode): boolean {
  const isClass = node.type === "ClassDeclaration" || node.type === "ClassExpression";
  return isClass && nameOf(child(node, "superClass"))?.endsWith("Error") === true;
}

// `constructor(code, …) { super(…) }`: whoever makes the error names its code.
function takesCode(node: SyntaxNode): boolean {
  return membersOf(node).some(
    (member) =>
      member.kind === "constructor" &&
      children(child(member, "value") ?? member, "params").some((it) => nameOf(it) === "code"),
  );
}

function codeOf(node: SyntaxNode): string | undefined {
  for (const member of membersOf(node)) {
    if (nameOf(child(member, "key")) === "code") return stringOf(child(member, "value"));
  }
  let code: string | undefined;
  walk(node, (call) => {
    if (call.type !== "CallExpression" || child(call, "callee")?.type !== "Super") return;
    code ??= stringOf(children(call, "arguments")[0]);
  });
  return code;
}

function membersOf(node: SyntaxNode): SyntaxNode[] {
  const body = child(node, "body");
  return body === undefined ? [] : children(body, "body");
}

// In Rust a code is what a `fn code` answers: each string in its body is one.
function rustCodes(file: SourceFile): CodeUse[] {
  return rustFunctions(maskRust(file))
    .filter(({ name }) => name === "code")
    .flatMap(({ bodyStart, end }) =>
      [...file.text.slice(bodyStart, end).matchAll(/"([^"\n]*)"/g)].map((match) => ({
        path: file.path,
        line: lineAt(file.text, bodyStart + match.index),
        code: match[1] as string,
      })),
    );
}

// The first cell of a table row names a code; nobody can meet one that no source writes.
function staleEntries(manual: SourceFile, files: readonly SourceFile[]): Finding[] {
  const sources = files.filter(({ path }) =>
    /^(?:ts|bindings|native)\/.*\.(?:ts|rs|cc|h)$/.test(path),
  );
  return [...manual.text.matchAll(/^\|\s*`([a-z0-9_]+)`\s*\|/gm)].flatMap((match): Finding[] => {
    const code = match[1] as string;
    const isWritten = new RegExp(`["'\`]${code}["'\`]|\\b${code}:`);
    if (sources.some(({ text }) => isWritten.test(text))) return [];
    const line = lineAt(manual.text, match.index);
    return [{ path: manual.path, line, reason: `explains ${code}, which no source can raise` }];
  });
}
