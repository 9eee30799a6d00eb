import type { AssignmentExpression, CallExpression, Expression, Node, Program } from "oxc-parser";
import { forEachNode } from "./syntax-walk.ts";

/** What one walk over a tree finds: counts, and the names that only the tree can tell. */
export class SymbolCount {
  readonly imports = new Set<string>();
  readonly exports = new Set<string>();
  functions = 0;
  classes = 0;
  types = 0;
  readonly #isModule: boolean;

  /** In a module, `exports.name = …` assigns to some variable and exports nothing. */
  constructor(isModule: boolean) {
    this.#isModule = isModule;
  }

  /** Adds everything below a program. */
  addProgram(program: Program): void {
    forEachNode(program, (node) => this.#add(node));
  }

  #add(node: Node): void {
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "TSDeclareFunction":
        this.functions++;
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        this.classes++;
        return;
      case "TSInterfaceDeclaration":
      case "TSTypeAliasDeclaration":
      case "TSEnumDeclaration":
        this.types++;
        return;
      case "ImportExpression":
      case "TSImportType":
        this.#addImport(node.source);
        return;
      case "TSExternalModuleReference":
        this.#addImport(node.expression);
        return;
      case "CallExpression":
        this.#addCall(node);
        return;
      case "AssignmentExpression":
        this.#addAssignment(node);
        return;
      default:
    }
  }

  #addImport(source: Node): void {
    const specifier = stringOf(source);
    if (specifier !== undefined) this.imports.add(specifier);
  }

  #addCall(call: CallExpression): void {
    const [first, second] = call.arguments;
    if (isIdentifier(call.callee, "require")) {
      if (first !== undefined) this.#addImport(first);
      return;
    }
    // Compilers write re-exports as Object.defineProperty(exports, "name", …).
    if (this.#isModule || !isMember(call.callee, "Object", "defineProperty")) return;
    if (first === undefined || second === undefined || !isExportsObject(first)) return;
    this.#addExport(stringOf(second));
  }

  #addAssignment({ left }: AssignmentExpression): void {
    if (this.#isModule || left.type !== "MemberExpression" || left.computed) return;
    if (isModuleExports(left)) this.exports.add("default");
    else if (isExportsObject(left.object)) this.#addExport(left.property.name);
  }

  #addExport(name: string | undefined): void {
    // Set by compilers to mark translated modules; nobody imports it.
    if (name !== undefined && name !== "__esModule") this.exports.add(name);
  }
}

function stringOf(node: Node): string | undefined {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function isIdentifier(node: Node, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function isMember(node: Node, object: string, property: string): boolean {
  if (node.type !== "MemberExpression" || node.computed) return false;
  return isIdentifier(node.object, object) && isIdentifier(node.property, property);
}

function isModuleExports(node: Node): boolean {
  return isMember(node, "module", "exports");
}

function isExportsObject(node: Expression | Node): boolean {
  return isIdentifier(node, "exports") || isModuleExports(node);
}
