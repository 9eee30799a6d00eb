import { PlacedText } from "./text-position.ts";

/**
 * What a token is: `key` is a word or string with a colon behind it; `sigil` has its letters as
 * `tag`; `end` is the end of the text.
 */
export type TokenKind =
  | "identifier"
  | "alias"
  | "atom"
  | "key"
  | "string"
  | "number"
  | "sigil"
  | "punctuation"
  | "end";

/** One token of a text in Elixir. */
export interface Token {
  readonly kind: TokenKind;
  /** Name, digits or sign; what stands between the quotes, escapes included. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Whether a line ends somewhere between the token before and this one. */
  readonly isOnNewLine: boolean;
  /** Quotes stand around the text. */
  readonly isQuoted: boolean;
  /** There is code in the text: `#{…}`. */
  readonly hasCode: boolean;
  /** The text is that of a heredoc: its indentation is to be removed. */
  readonly isHeredoc: boolean;
  /** Letters of a sigil. */
  readonly tag: string;
  /** Letters behind a sigil. */
  readonly modifiers: string;
}

/** Strings in code in strings, and so on. */
const NESTING_MAX = 16;
const BLANK = /(?:[\s]|#[^\n]*)*/y;
const IDENTIFIER = /[\p{Ll}\p{Lo}_][\p{L}\p{N}_]*[?!]?/uy;
const ALIAS = /\p{Lu}[\p{L}\p{N}_]*(?:\.\p{Lu}[\p{L}\p{N}_]*)*/uy;
const ATOM = /:[\p{L}_][\p{L}\p{N}_@]*[?!]?/uy;
const DECIMAL = String.raw`\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d+)?)?`;
const CHARACTER = String.raw`\?(?:\\[\s\S]|[\s\S])`;
const NUMBER = new RegExp(`0x[\\da-fA-F_]+|0o[0-7_]+|0b[01_]+|${DECIMAL}|${CHARACTER}`, "uy");
const SIGIL = /~([a-z]|[A-Z][A-Z\d]*)(?="""|'''|[([{<|/"'])/y;
const SIGN = /%\{|=>|->|==|=~|\|\||\|>|<>|\+\+|--|\.\.\.?|::|<<|>>|&&|<-|[\s\S]/uy;
const CLOSERS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "<": ">" };

interface Quoted {
  readonly text: string;
  readonly end: number;
  readonly hasCode: boolean;
  readonly isHeredoc: boolean;
}

/** Reads tokens of Elixir, one after the other, without judging what they are worth. */
export class Lexer {
  readonly placed: PlacedText;
  readonly #text: string;
  #at = 0;
  #nesting = 0;

  constructor(text: string) {
    this.placed = new PlacedText(text);
    this.#text = text;
  }

  /** Where the next token is looked for; set to go back. */
  get at(): number {
    return this.#at;
  }

  set at(offset: number) {
    this.#at = offset;
  }

  /**
   * The next token; at the end of the text again and again `end`.
   *
   * @throws FoundationError `invalid_options` for a string without an end
   */
  next(): Token {
    const from = this.#at;
    const start = from + (this.#match(BLANK, from)?.length ?? 0);
    const isOnNewLine = from === 0 || this.#text.slice(from, start).includes("\n");
    const read = this.#read(start);
    const token = {
      isQuoted: false,
      hasCode: false,
      isHeredoc: false,
      tag: "",
      modifiers: "",
      ...read,
      start,
      isOnNewLine,
    };
    this.#at = token.end;
    return token;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0];
  }

  #read(start: number): Pick<Token, "kind" | "text" | "end"> & Partial<Token> {
    const first = this.#text[start];
    if (first === undefined) return { kind: "end", text: "the end", end: start };
    if (first === '"' || first === "'") return this.#string(start);
    if (first === ":" && /["']/.test(this.#text[start + 1] ?? "")) {
      return { ...this.#quoted(start + 1), kind: "atom", isQuoted: true };
    }
    const sigil = first === "~" ? this.#match(SIGIL, start) : undefined;
    if (sigil !== undefined) return this.#sigil(start, sigil.slice(1));
    const atom = this.#match(ATOM, start);
    if (atom !== undefined) return { kind: "atom", text: atom.slice(1), end: start + atom.length };
    const word = this.#match(IDENTIFIER, start) ?? this.#match(ALIAS, start);
    if (word !== undefined) return this.#word(word, start + word.length);
    const number = this.#match(NUMBER, start);
    if (number !== undefined) return { kind: "number", text: number, end: start + number.length };
    const sign = this.#match(SIGN, start) as string;
    return { kind: "punctuation", text: sign, end: start + sign.length };
  }

  #word(text: string, end: number): Pick<Token, "kind" | "text" | "end"> {
    if (this.#isKeyEnd(end)) return { kind: "key", text, end: end + 1 };
    return { kind: /^\p{Lu}/u.test(text) ? "alias" : "identifier", text, end };
  }

  /** A colon with a blank behind it. */
  #isKeyEnd(at: number): boolean {
    return this.#text[at] === ":" && /^\s?$/.test(this.#text[at + 1] ?? "");
  }

  #string(start: number): Pick<Token, "kind" | "text" | "end"> & Partial<Token> {
    const quoted = this.#quoted(start);
    if (!this.#isKeyEnd(quoted.end)) return { ...quoted, kind: "string", isQuoted: true };
    return { ...quoted, kind: "key", end: quoted.end + 1, isQuoted: true };
  }

  #sigil(start: number, tag: string): Pick<Token, "kind" | "text" | "end"> & Partial<Token> {
    const opens = start + 1 + tag.length;
    const quoted = this.#quoted(opens, /^[A-Z]/.test(tag));
    const modifiers = /[a-zA-Z]*/y;
    const letters = this.#match(modifiers, quoted.end) ?? "";
    const end = quoted.end + letters.length;
    return { ...quoted, kind: "sigil", tag, modifiers: letters, end, isQuoted: true };
  }

  /** What stands between the quotes that begin at `opens`. */
  #quoted(opens: number, isLiteral = false): Quoted {
    const triple = this.#text.slice(opens, opens + 3);
    const isHeredoc = triple === '"""' || triple === "'''";
    const open = isHeredoc ? triple : (this.#text[opens] as string);
    const close = CLOSERS[open] ?? open;
    const body = opens + open.length;
    let hasCode = false;
    let at = body;
    while (!this.#text.startsWith(close, at)) {
      if (at >= this.#text.length) throw this.placed.problem(opens, `${open} without its end`);
      if (this.#text[at] === "\\" && !(isLiteral && isHeredoc)) at += 2;
      else if (!isLiteral && this.#text.startsWith("#{", at)) {
        hasCode = true;
        at = this.#afterCode(at + 2);
      } else at += 1;
    }
    return { text: this.#text.slice(body, at), end: at + close.length, hasCode, isHeredoc };
  }

  /** Where the code in a string ends. */
  #afterCode(from: number): number {
    if (++this.#nesting > NESTING_MAX) throw this.placed.problem(from, "code nested too deep");
    const back = this.#at;
    this.#at = from;
    let open = 1;
    while (open > 0) {
      const { kind, text, start } = this.next();
      if (kind === "end") throw this.placed.problem(from - 2, "#{ without its end");
      if (kind === "punctuation" && (text === "{" || text === "%{")) open += 1;
      if (kind === "punctuation" && text === "}") open -= 1;
      if (start >= this.#text.length) break;
    }
    const end = this.#at;
    this.#at = back;
    this.#nesting -= 1;
    return end;
  }
}
