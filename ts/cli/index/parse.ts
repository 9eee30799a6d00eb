import { createHash } from "node:crypto";
import { type EcmaScriptModule, type ParseResult, parseSync } from "oxc-parser";
import { messageOf } from "../exit.ts";
import { bracketDepthMax } from "./nesting.ts";
import type { FileRecord } from "./record.ts";
import { SymbolCount } from "./symbols.ts";

/**
 * Sources with more open brackets at a time are not parsed. The parser recurses on the native
 * stack: at 20,000 it ends the process (measured with an 8 MiB stack), while the deepest real
 * file seen among 8,000 packages' sources nests 250 deep. A stack of 1 MiB, as some systems
 * give, still holds this many.
 */
export const BRACKET_DEPTH_MAX = 1_000;

/** The outcome of the parser, or the reason why there is none. */
type Syntax = Pick<ParseResult, "module" | "program" | "errors">;

/**
 * Describes one source. Total: whatever the content, it returns a record, and the same record in
 * every process.
 */
export function indexSource(path: string, content: Uint8Array): FileRecord {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const identity = { path, bytes: content.byteLength, sha256 };
  if (bracketDepthMax(content) > BRACKET_DEPTH_MAX) {
    return unparsed(identity, `nests more than ${BRACKET_DEPTH_MAX} brackets`);
  }
  try {
    return describe(identity, parse(path, textOf(content)));
  } catch (failure) {
    return unparsed(identity, messageOf(failure));
  }
}

function textOf(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("utf8");
}

/**
 * `.js` and `.ts` say nothing about the module system, so the parser looks for module syntax. A
 * file that still has errors may be CommonJS with a top-level `return`, which only Node's wrapper
 * function makes legal; the reading with fewer errors stands.
 */
function parse(path: string, text: string): Syntax {
  const isUndecided = /\.(?:js|jsx|ts|tsx)$/.test(path) && !path.endsWith(".d.ts");
  if (!isUndecided) return parseSync(path, text);
  const first = parseSync(path, text, { sourceType: "unambiguous" });
  if (first.errors.length === 0 || first.module.hasModuleSyntax) return first;
  const second = parseSync(path, text, { sourceType: "commonjs" });
  return second.errors.length < first.errors.length ? second : first;
}

type Identity = Pick<FileRecord, "path" | "bytes" | "sha256">;

function describe(identity: Identity, syntax: Syntax): FileRecord {
  const isModule = syntax.module.hasModuleSyntax;
  const symbols = new SymbolCount(isModule);
  symbols.addProgram(syntax.program);
  addModuleRecord(symbols, syntax.module);
  return {
    ...identity,
    isModule,
    imports: sortedNames(symbols.imports),
    exports: sortedNames(symbols.exports),
    functions: symbols.functions,
    classes: symbols.classes,
    types: symbols.types,
    parseErrors: syntax.errors.length,
    problem: syntax.errors[0]?.message ?? null,
  };
}

function addModuleRecord(symbols: SymbolCount, module: EcmaScriptModule): void {
  for (const statement of module.staticImports) {
    symbols.imports.add(statement.moduleRequest.value);
  }
  for (const statement of module.staticExports) {
    for (const entry of statement.entries) {
      if (entry.moduleRequest !== null) symbols.imports.add(entry.moduleRequest.value);
      symbols.exports.add(exportedName(entry.exportName));
    }
  }
}

function exportedName(exportName: { readonly kind: string; readonly name: string | null }): string {
  return exportName.kind === "Default" ? "default" : (exportName.name ?? "*");
}

/**
 * A string literal may hold half a surrogate pair, which no UTF-8 encoding can carry; it becomes
 * U+FFFD here, so that a record that crossed a wire equals one that did not.
 */
function sortedNames(names: ReadonlySet<string>): string[] {
  const wellFormed = new Set<string>();
  for (const name of names) wellFormed.add(name.replace(/\p{Surrogate}/gu, "\uFFFD"));
  return [...wellFormed].sort();
}

function unparsed(identity: Identity, problem: string): FileRecord {
  return {
    ...identity,
    isModule: false,
    imports: [],
    exports: [],
    functions: 0,
    classes: 0,
    types: 0,
    parseErrors: 1,
    problem,
  };
}
