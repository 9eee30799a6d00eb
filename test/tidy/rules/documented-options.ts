import { type Finding, isScript, lineAt, type Rule, type SourceFile } from "../repository.ts";
import {
  child,
  children,
  docAbove,
  nameOf,
  parseScript,
  type SyntaxNode,
  walk,
} from "../syntax-tree.ts";

// A number whose name ends so needs no further word on its unit.
const UNITS =
  "Ns|Us|Ms|Seconds|Bytes|KiB|MiB|Words|Messages|Frames|Records|Files|Members|Nodes|Peers|" +
  "Workers|Isolates|Threads|Lanes|Hops|Percent|Ratio";
const UNIT_IN_NAME = new RegExp(`(?:${UNITS})(?:Min|Max)?$`);
const UNIT_IN_DOC = /\bunit:/i;
const DEFAULT_IN_DOC = /\bdefaults?\b|\bomitted\b|\bleft out\b|\babsent\b|\bwithout it\b/i;

/** Option fields without doc, unit or default, and defaults without a source or reason. */
export const documentedOptions: Rule = (files) =>
  files.flatMap((file) => {
    if (!isScript(file.path) || !/^(?:ts|bindings)\/.*\.ts$/.test(file.path)) return [];
    const findings: Finding[] = [];
    const report = (node: SyntaxNode, reason: string): void => {
      findings.push({ path: file.path, line: lineAt(file.text, node.start), reason });
    };
    for (const statement of children(parseScript(file).program, "body")) {
      const declaration = child(statement, "declaration") ?? statement;
      if (nameOf(child(declaration, "id"))?.endsWith("Options") === true) {
        const ownDoc = docAbove(file, statement.start) ?? "";
        for (const field of fieldsOf(declaration)) checkField(file, field, ownDoc, report);
      }
      for (const variable of children(declaration, "declarations")) {
        const isDefaults = nameOf(child(variable, "id"))?.endsWith("_DEFAULTS") === true;
        if (isDefaults) checkDefaults(file, variable, report);
      }
    }
    return findings;
  });

type Report = (node: SyntaxNode, reason: string) => void;

function fieldsOf(declaration: SyntaxNode): SyntaxNode[] {
  const fields: SyntaxNode[] = [];
  walk(declaration, (node) => {
    if (node.type === "TSPropertySignature") fields.push(node);
  });
  return fields;
}

function checkField(file: SourceFile, field: SyntaxNode, ownDoc: string, report: Report): void {
  const name = nameOf(child(field, "key")) ?? "an option";
  const doc = docAbove(file, field.start);
  if (doc === undefined) {
    report(field, `option ${name} has no doc comment`);
    return;
  }
  const type = child(field, "typeAnnotation");
  const holdsNumber =
    type !== undefined && /\b(?:number|bigint)\b/.test(file.text.slice(type.start, type.end));
  if (holdsNumber && !UNIT_IN_NAME.test(name) && !UNIT_IN_DOC.test(doc)) {
    report(
      field,
      `option ${name} has no unit: end its name with one or write "Unit: …" in its doc`,
    );
  }
  const hasDefault = DEFAULT_IN_DOC.test(doc) || ownDoc.includes("_DEFAULTS");
  if (field.optional === true && !hasDefault) {
    report(field, `option ${name} does not say what holds when it is left out`);
  }
}

// Each default owes its source or reason: behind it on its line, or on the lines right above it.
function checkDefaults(file: SourceFile, variable: SyntaxNode, report: Report): void {
  const { comments } = parseScript(file);
  walk(variable, (node) => {
    if (node.type !== "Property" || child(node, "value")?.type === "ObjectExpression") return;
    const firstLine = lineAt(file.text, node.start);
    const lastLine = lineAt(file.text, node.end);
    const isExplained = comments.some(({ start, end }) => {
      const isAbove = lineAt(file.text, end) === firstLine - 1 && startsItsLine(file.text, start);
      const isBehind = start >= node.start && lineAt(file.text, start) === lastLine;
      return isAbove || isBehind;
    });
    if (!isExplained) {
      report(node, `default ${nameOf(child(node, "key"))} gives no source or reason`);
    }
  });
}

function startsItsLine(text: string, offset: number): boolean {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset).trim() === "";
}
