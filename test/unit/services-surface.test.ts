import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import * as library from "../../dist/ts/index.js";

const PAGE = new URL("../../docs/migration.md", import.meta.url);
const LIST = fileURLToPath(new URL("../../dist/ts/index.d.ts", import.meta.url));
const ROW = /^\| `([\w.]+)\.([^`]+)` \| `([\w.#]+)` \|$/gm;

/** How many public functions the modules of Foundation 1.x have. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  Foundation: 7,
  Config: 13,
  "Types.Config": 1,
  ConfigLogic: 9,
  ConfigValidator: 2,
  "Config.GracefulDegradation": 7,
  Events: 21,
  "Types.Event": 2,
  EventLogic: 10,
  EventValidator: 2,
  "Events.GracefulDegradation": 5,
  Telemetry: 17,
  ProcessRegistry: 10,
  ServiceRegistry: 9,
  Infrastructure: 8,
  CircuitBreaker: 4,
  RateLimiter: 4,
  ConnectionManager: 5,
  HttpWorker: 3,
  Error: 10,
  ErrorContext: 10,
  Utils: 23,
};

const rows = [...readFileSync(PAGE, "utf8").matchAll(ROW)].map(
  ([, module = "", name = "", here = ""]) => ({ module, name, here }),
);
const places = [...new Set(rows.map(({ here }) => here))];

/** The words of a place, `prototype` where it is a method of an instance. */
function wordsOf(here: string): string[] {
  return here.replace("#", ".prototype.").split(".");
}

/** What is exported under a place. */
function valueAt(here: string): unknown {
  const [first = "", ...rest] = wordsOf(here);
  const standalone = { ...library, Infrastructure: library.Infrastructure.standalone() };
  return rest.reduce<unknown>(
    (at, word) => Reflect.get(Object(at), word) as unknown,
    Reflect.get(standalone, first),
  );
}

describe("the functions of Foundation 1.x", () => {
  test("all have a line that says where they are [F009]", () => {
    const counts: Record<string, number> = {};
    for (const { module } of rows) counts[module] = (counts[module] ?? 0) + 1;
    expect(counts).toEqual(FUNCTIONS);
  });

  test.each(places)("%s is there", (here) => {
    expect(typeof valueAt(here)).toBe("function");
  });
});

describe("the types of the public list", () => {
  let checker: ts.TypeChecker;
  let exported: Map<string, ts.Symbol>;
  beforeAll(() => {
    const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 };
    const program = ts.createProgram([LIST], { ...options, skipLibCheck: true, strict: true });
    checker = program.getTypeChecker();
    const file = program.getSourceFile(LIST) as ts.SourceFile;
    const module = checker.getSymbolAtLocation(file) as ts.Symbol;
    const all = checker.getExportsOfModule(module).map((symbol): [string, ts.Symbol] => {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      return [symbol.name, isAlias ? checker.getAliasedSymbol(symbol) : symbol];
    });
    exported = new Map(all);
  });

  /** The symbol of a place, and what declares it where that is a shorthand of an object. */
  function symbolOf(here: string): ts.Symbol {
    const [first = "", ...rest] = wordsOf(here);
    let symbol = exported.get(first) as ts.Symbol;
    for (const word of rest) {
      symbol = checker.getTypeOfSymbol(symbol).getProperty(word) as ts.Symbol;
      if (symbol === undefined) throw new Error(`${here} has no type`);
    }
    return symbol;
  }

  function docOf(symbol: ts.Symbol): string {
    const own = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    if (own !== "") return own;
    // A property that holds a function is documented where that is.
    const named = checker.getTypeOfSymbol(symbol).getSymbol();
    return ts.displayPartsToString(named?.getDocumentationComment(checker) ?? []);
  }

  test("document every one of them [F010 F011]", () => {
    const bare = places.filter((here) => docOf(symbolOf(here)).split(/\s+/).length < 3);
    expect(bare).toEqual([]);
  });

  test("leave nothing open in their arguments and results", () => {
    const open = places.filter((here) => {
      const type = checker.getTypeOfSymbol(symbolOf(here));
      const signatures = [...type.getCallSignatures(), ...type.getConstructSignatures()];
      if (signatures.length === 0) return true;
      return signatures.some((signature) => {
        const types = signature.getParameters().map((one) => checker.getTypeOfSymbol(one));
        return [...types, signature.getReturnType()].some(({ flags }) => {
          return (flags & ts.TypeFlags.Any) !== 0;
        });
      });
    });
    expect(open).toEqual([]);
  });
});
