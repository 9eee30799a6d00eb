import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { ElixirCode, ElixirTuple, parseElixirTerms } from "../../ts/compat/index.ts";

const termOf = (text: string): unknown => parseElixirTerms(text).value;

function refusal(text: string): string {
  try {
    termOf(text);
  } catch (thrown) {
    if (thrown instanceof FoundationError) return thrown.message;
    throw thrown;
  }
  throw new Error(`${text} was read`);
}

describe("literal terms", () => {
  test.each<readonly [string, unknown]>([
    ["nil", null],
    ["true", true],
    [":false", false],
    [":atom", "atom"],
    [':"app@10.0.0.1"', "app@10.0.0.1"],
    [":app@host", "app@host"],
    ["Cluster.Strategy.Gossip", "Cluster.Strategy.Gossip"],
    ["Elixir.Cluster.Strategy.Gossip", "Cluster.Strategy.Gossip"],
    ["30_000", 30_000],
    ["-7", -7],
    ["1.5e3", 1_500],
    ["0xFF", 255],
    ["0b101", 5],
    ["0o17", 15],
    ["?a", 97],
    ['"a\\n\\t\\"\\x41\\u0042\\u{43}\\s\\e"', 'a\n\t"ABC \x1b'],
    ['"# no comment"', "# no comment"],
    ["'charlist'", "charlist"],
    ['~c"charlist"', "charlist"],
    ["~s(a\\tb)", "a\tb"],
    ["~S(a\\tb)", "a\\tb"],
    ["~w(a b)a", ["a", "b"]],
    ['"""\n  one\n    two\n  """', "one\n  two\n"],
    ["[]", []],
    ["[1, [2], 3,]", [1, [2], 3]],
    ["%{}", {}],
    ["[a: 1, b_c?: 2]", { a: 1, "b_c?": 2 }],
    ['["a key": 1]', { "a key": 1 }],
    ["[{:a, 1}, {:b, [c: 2]}]", { a: 1, b: { c: 2 } }],
    ["a: 1, b: 2", { a: 1, b: 2 }],
    ['%{"x" => 1, :y => 2, z: 3}', { x: 1, y: 2, z: 3 }],
    ["[\n  # one\n  a: 1 # two\n]", { a: 1 }],
    ["[__proto__: 1]", Object.fromEntries([["__proto__", 1]])],
  ])("%s", (text, expected) => {
    expect(termOf(text)).toEqual(expected);
  });

  test("tuples are of a class of their own", () => {
    expect(termOf("{0, 0, 0, 0}")).toEqual(new ElixirTuple([0, 0, 0, 0]));
    expect(termOf("[:x, a: 1]")).toEqual(["x", new ElixirTuple(["a", 1], true)]);
  });

  test("of a key that is there twice, keyword lists have the first and maps the last", () => {
    const list = parseElixirTerms("[a: 1, b: 2, a: 3]");
    expect(list.value).toEqual({ a: 1, b: 2 });
    expect(list.repeated).toEqual([{ key: "a", position: { line: 1, column: 14 } }]);
    expect(termOf("%{a: 1, a: 3}")).toEqual({ a: 3 });
  });

  test("keys have places", () => {
    const terms = parseElixirTerms("[\n  a: [b: 1]\n]");
    const outer = terms.value as { a: object };
    expect(terms.at(outer, "a")).toEqual({ line: 2, column: 3 });
    expect(terms.at(outer.a, "b")).toEqual({ line: 2, column: 7 });
    expect(terms.at(outer, "c")).toBeUndefined();
    expect(terms.at({}, "a")).toBeUndefined();
  });
});

describe("what only a running Elixir knows", () => {
  test.each([
    ['System.get_env("A")'],
    ['System.get_env("A") || "b"'],
    ['System.fetch_env!("A")'],
    ["&:inet_res.getbyname(&1, :a)"],
    ["&String.ends_with?(&1, [1, 2])"],
    ['"#{a <> "}"} x"'],
    ["~r/^a/"],
  ])("%s is told of, and what is behind it is read", (code) => {
    const value = termOf(`[a: ${code}, b: 2]`);
    expect(value).toEqual({ a: new ElixirCode(code, { line: 1, column: 5 }), b: 2 });
  });

  test("ends with its line, where no brackets are around it", () => {
    expect(termOf('a: System.get_env("A") ||\n  "x",\nb: 2')).toMatchObject({ b: 2 });
    expect(refusal('a: System.get_env("A")\nfoo')).toMatch(/^line 2, column 1: 'foo' behind/);
  });
});

describe("refused with line and column", () => {
  test.each([
    ["[a: foo]", 1, 5, "variable"],
    ["[a: foo(1)]", 1, 5, "call of a function"],
    ["[a: String.to_atom(1)]", 1, 5, "'String.to_atom' is the call"],
    ["[a: fn x -> x end]", 1, 5, "function"],
    ["[a: 1..5]", 1, 6, "range"],
    ["[a: @b]", 1, 5, "'@'"],
    ["[a: <<1>>]", 1, 5, "'<<'"],
    ["[a: %Struct{}]", 1, 5, "'%'"],
    ["[a: ~D[2020-01-01]]", 1, 5, "sigil"],
    ["[a: 1 ++ 2]", 1, 7, "expected, not '++'"],
    ["[a: 1\n b: 2]", 2, 2, "expected, not 'b'"],
    ["[1,\n2", 2, 2, "the end of the text"],
    ['\n [a: "x]', 2, 6, "without its end"],
    ['[a: "#{x]', 1, 6, "without its end"],
    ["[a: 12345678901234567890]", 1, 5, "too large"],
    ['[a: "\\u{110000}"]', 1, 5, "does not exist"],
    ["[a: ~s(\\u{110000})]", 1, 5, "does not exist"],
    ["%{1.5 => 2, [] => 1}", 1, 13, "keys of maps"],
    ["[a: 1] 2", 1, 8, "behind the term"],
    ["", 1, 1, "ends"],
  ])("%s", (text, line, column, words) => {
    const said = refusal(text);
    expect(said).toMatch(new RegExp(`^line ${line}, column ${column}: `));
    expect(said).toContain(words);
  });

  test("more than 64 levels, and more than 1 MiB", () => {
    expect(termOf(`${"[".repeat(64)}${"]".repeat(64)}`)).toBeDefined();
    expect(refusal("[".repeat(65))).toContain("more than 64 levels");
    expect(refusal('"#{'.repeat(100))).toContain("nested too deep");
    expect(refusal(" ".repeat(1_048_577))).toContain("1048576 bytes");
  });
});

describe("any text", () => {
  test("is read or refused with a place, and nothing else happens", () => {
    const pieces = [
      "[",
      "]",
      "{",
      "}",
      "%{",
      "a: ",
      ":b",
      '"',
      "'",
      "#{",
      "~s(",
      ")",
      ",",
      "1",
      "&",
      "=>",
      "\n",
      "System.get_env",
      "x",
      '"""',
      "\\",
      "é",
    ];
    const texts = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join("");
        try {
          termOf(text);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FoundationError);
          expect((thrown as FoundationError).message).toMatch(/^line \d+, column \d+: /);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("that is a literal is what it was before", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree")),
        fc.dictionary(fc.string(), tie("tree"), { minKeys: 1 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(termOf(elixir(value))).toEqual(value);
      }),
    );
  });
});

/** A value as Elixir writes it. */
function elixir(value: unknown): string {
  if (value === null) return "nil";
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(elixir).join(", ")}]`;
  const pairs = Object.entries(value).map(([key, one]) => `${quoted(key)}: ${elixir(one)}`);
  return `[${pairs.join(", ")}]`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\#]/g, (sign) => `\\${sign}`)}"`;
}
