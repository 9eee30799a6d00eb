import { outdent, unescaped } from "./escapes.ts";
import { Lexer, type Token } from "./lexer.ts";
import type { TextPosition } from "./text-position.ts";
import { ElixirCode, ElixirTuple, type ElixirValue, type RepeatedKey } from "./values.ts";

/** Lists in lists, and so on. */
const DEPTH_MAX = 64;

/** What an expression goes on behind, and before, although its line ends. */
const OPERATORS: readonly string[] = [
  ...["||", "&&", "|>", "<>", "++", "--", "==", "=~", "|"],
  ...["+", "-", "*", "/", ".", "(", "["],
];
const OPENERS: readonly string[] = ["(", "[", "{", "%{", "<<"];
const CLOSERS: readonly string[] = [")", "]", "}", ">>"];
/** Functions of `System` that configurations ask for values of the environment. */
const ENVIRONMENT: readonly string[] = ["get_env", "fetch_env", "fetch_env!"];

interface Entry {
  readonly key: string;
  readonly value: ElixirValue;
  readonly start: number;
}

/** Reads literal terms of Elixir from a text. */
export class TermParser {
  readonly #lexer: Lexer;
  readonly repeated: RepeatedKey[] = [];
  readonly #places = new WeakMap<object, Map<string, number>>();
  #ahead: Token | undefined;
  #depth = 0;

  constructor(text: string) {
    this.#lexer = new Lexer(text);
  }

  /** The next token, which stays. */
  peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  /** Whether the next token is this sign. */
  isAt(sign: string): boolean {
    const { kind, text } = this.peek();
    return kind === "punctuation" && text === sign;
  }

  /** Where the key of an object is written. */
  at(container: object, key: string): TextPosition | undefined {
    const offset = this.#places.get(container)?.get(key);
    return offset === undefined ? undefined : this.position(offset);
  }

  /** Line and column of an offset. */
  position(offset: number): TextPosition {
    return this.#lexer.placed.position(offset);
  }

  /**
   * Throws what is wrong at a token.
   *
   * @throws FoundationError `invalid_options`, always
   */
  refuse(token: Token, reason: string): never {
    throw this.#lexer.placed.problem(token.start, reason);
  }

  /** One term. */
  value(): ElixirValue {
    if (++this.#depth > DEPTH_MAX) this.refuse(this.peek(), `more than ${DEPTH_MAX} levels deep`);
    const value = this.#term(this.take());
    this.#depth -= 1;
    const next = this.peek();
    if (next.kind === "punctuation" && /^\.\.\.?$/.test(next.text)) {
      this.refuse(next, "a range is no literal term that a configuration has");
    }
    return value;
  }

  /** Pairs of a keyword list without brackets: as long as keys follow. */
  pairs(): ElixirValue {
    const entries = this.#entries();
    return this.#object(entries, "first");
  }

  #term(token: Token): ElixirValue {
    const { kind, text } = token;
    if (kind === "string") return this.#text(token);
    if (kind === "atom") return token.isQuoted ? this.#text(token) : atomOf(text);
    if (kind === "number") return this.#number(token, 1);
    if (kind === "sigil") return this.#sigil(token);
    if (kind === "alias") return this.#alias(token);
    if (kind === "identifier") return this.#word(token);
    if (kind === "key") this.refuse(token, `'${text}:' outside a keyword list`);
    if (text === "[") return this.#list();
    if (text === "{") return this.#tuple();
    if (text === "%{") return this.#map();
    if (text === "-" && this.peek().kind === "number") return this.#number(this.take(), -1);
    if (text === "&") return this.#code(token);
    if (kind === "end") this.refuse(token, "the text ends where a term is expected");
    return this.refuse(token, `'${text}' does not begin a literal term`);
  }

  #text(token: Token): ElixirValue {
    if (token.hasCode) return this.#code(token);
    return this.#unescaped(token);
  }

  #unescaped(token: Token): string {
    try {
      return unescaped(rawOf(token));
    } catch {
      return this.refuse(token, "an escape for a character that does not exist");
    }
  }

  #number(token: Token, sign: 1 | -1): number {
    const { text } = token;
    if (text.startsWith("?")) return sign * (unescaped(text.slice(1)).codePointAt(0) as number);
    const value = sign * Number(text.replaceAll("_", ""));
    const isWhole = !text.includes(".");
    if (isWhole && !Number.isSafeInteger(value))
      this.refuse(token, `${text} is too large a number`);
    return value;
  }

  #word(token: Token): ElixirValue {
    if (token.text === "true") return true;
    if (token.text === "false") return false;
    if (token.text === "nil") return null;
    if (token.text === "fn") this.refuse(token, "a function is no literal term: give a value");
    const isCall = this.isAt("(") || this.isAt(".");
    const what = isCall ? "the call of a function" : "a variable or the call of a function";
    return this.refuse(token, `'${token.text}' is ${what}, no literal term: give its value`);
  }

  #alias(token: Token): ElixirValue {
    const name = token.text.replace(/^Elixir\.(?=.)/, "");
    if (!this.isAt(".")) return name;
    this.take();
    const called = this.peek();
    if (name === "System" && ENVIRONMENT.includes(called.text)) return this.#code(token);
    const call = `${token.text}.${called.text}`;
    return this.refuse(
      token,
      `'${call}' is the call of a function, no literal term: give its value`,
    );
  }

  #sigil(token: Token): ElixirValue {
    const letter = token.tag.toLowerCase();
    const isRaw = letter !== token.tag;
    if (token.hasCode || letter === "r") return this.#code(token);
    if (letter !== "c" && letter !== "s" && letter !== "w") {
      this.refuse(token, `the sigil ~${token.tag} is no term that a configuration has`);
    }
    const text = isRaw ? rawOf(token) : this.#unescaped(token);
    return letter === "w" ? text.split(/\s+/).filter((word) => word !== "") : text;
  }

  #list(): ElixirValue {
    const items: ElixirValue[] = [];
    const entries: Entry[] = [];
    while (!this.isAt("]")) {
      const next = this.peek();
      if (next.kind === "key") {
        entries.push(...this.#entries());
        if (!this.isAt("]")) this.#comma("]");
        break;
      }
      const value = this.value();
      if (value instanceof ElixirTuple && isPair(value) && items.length === 0) {
        const [key, second] = value.items as [ElixirValue, ElixirValue];
        entries.push({ key: String(key), value: second, start: next.start });
      } else {
        items.push(...entries.splice(0).map(tupleOf), value);
      }
      if (!this.#comma("]")) break;
    }
    this.take();
    if (items.length === 0 && entries.length > 0) return this.#object(entries, "first");
    return [...items, ...entries.map(tupleOf)];
  }

  #tuple(): ElixirValue {
    const items: ElixirValue[] = [];
    const first = this.peek();
    while (!this.isAt("}")) {
      items.push(this.value());
      if (!this.#comma("}")) break;
    }
    this.take();
    const isAtom = first.kind === "atom" || first.kind === "alias";
    return new ElixirTuple(items, isAtom && typeof items[0] === "string");
  }

  #map(): ElixirValue {
    const entries: Entry[] = [];
    while (!this.isAt("}")) {
      const token = this.peek();
      if (token.kind === "key") {
        entries.push(...this.#entries());
        if (!this.isAt("}")) this.#comma("}");
        break;
      }
      const key = this.value();
      if (typeof key !== "string" && typeof key !== "number") {
        this.refuse(token, "keys of maps are atoms, strings or numbers here");
      }
      if (!this.isAt("=>")) this.refuse(this.peek(), "'=>' is expected");
      this.take();
      entries.push({ key: String(key), value: this.value(), start: token.start });
      if (!this.#comma("}")) break;
    }
    this.take();
    return this.#object(entries, "last");
  }

  /** `key: value` as long as there are some; the comma behind the last one is taken. */
  #entries(): Entry[] {
    const entries: Entry[] = [];
    while (this.peek().kind === "key") {
      const token = this.take();
      const key = token.isQuoted ? String(this.#text({ ...token, hasCode: false })) : token.text;
      entries.push({ key, value: this.value(), start: token.start });
      if (!this.isAt(",")) break;
      this.take();
    }
    return entries;
  }

  /** Takes a comma; false at the end of the list. */
  #comma(closer: string): boolean {
    if (this.isAt(",")) {
      this.take();
      return true;
    }
    if (this.isAt(closer)) return false;
    const found = this.peek();
    return this.refuse(found, `',' or '${closer}' is expected, not ${nameOf(found)}`);
  }

  /** An object of pairs. Of a key that is written twice Elixir finds one. */
  #object(entries: readonly Entry[], counts: "first" | "last"): ElixirValue {
    const places = new Map<string, number>();
    const values = new Map<string, ElixirValue>();
    for (const { key, value, start } of entries) {
      const isRepeated = places.has(key);
      if (isRepeated) this.repeated.push({ key, position: this.position(start) });
      if (isRepeated && counts === "first") continue;
      places.set(key, start);
      values.set(key, value);
    }
    const object = Object.fromEntries(values);
    this.#places.set(object, places);
    return object;
  }

  /** Code up to the comma or bracket behind it, or to the end of its line outside of brackets. */
  #code(first: Token): ElixirCode {
    let open = 0;
    let last = first;
    for (;;) {
      const next = this.peek();
      if (next.kind === "end") break;
      const isSign = next.kind === "punctuation";
      const isCloser = isSign && CLOSERS.includes(next.text);
      if (open === 0 && (isCloser || (isSign && next.text === ","))) break;
      if (open === 0 && next.isOnNewLine && !isOperator(next) && !isOperator(last)) break;
      if (isSign && OPENERS.includes(next.text)) open += 1;
      if (isCloser) open -= 1;
      last = this.take();
    }
    const { start } = first;
    const text = this.#lexer.placed.text.slice(start, last.end).replace(/\s+/g, " ");
    return new ElixirCode(text, this.position(start));
  }
}

/** A token as a refusal names it: what a string says may be a secret. */
export function nameOf({ kind, text }: Token): string {
  if (kind === "end") return "the end of the text";
  return kind === "string" || kind === "sigil" ? "a string" : `'${text}'`;
}

function rawOf({ text, isHeredoc }: Token): string {
  return isHeredoc ? outdent(text) : text;
}

function isOperator({ kind, text }: Token): boolean {
  return kind === "punctuation" && OPERATORS.includes(text);
}

function isPair({ items, hasAtomFirst }: ElixirTuple): boolean {
  return hasAtomFirst && items.length === 2;
}

function tupleOf({ key, value }: Entry): ElixirTuple {
  return new ElixirTuple([key, value], true);
}

function atomOf(name: string): ElixirValue {
  if (name === "nil") return null;
  if (name === "true" || name === "false") return name === "true";
  return name.replace(/^Elixir\.(?=.)/, "");
}
