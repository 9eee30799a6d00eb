import { FoundationError } from "../../base/errors.ts";
import { parserOf, termsOf } from "./elixir-terms.ts";
import type { Token } from "./lexer.ts";
import { nameOf, type TermParser } from "./parser.ts";
import type { TextPosition } from "./text-position.ts";
import type { ElixirTerms, ElixirValue } from "./values.ts";

/** What a file in Elixir says of libcluster. */
export interface LibclusterFile extends ElixirTerms {
  /** Topologies by name. */
  readonly value: { readonly [name: string]: ElixirValue };
  /** What else is set for libcluster, like `debug`, and where. */
  readonly settings: readonly { readonly key: string; readonly position: TextPosition }[];
  /** Names of topologies that are set more than once; the last one counts. */
  readonly replaced: readonly string[];
}

type Keyed = { readonly [key: string]: ElixirValue };

function isKeyed(value: ElixirValue | undefined): value is Keyed {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** Looks through a text for what is said of the topologies. */
class Search {
  readonly #parser: TermParser;
  readonly #settings: { key: string; position: TextPosition }[] = [];
  readonly #configured: Keyed[] = [];
  readonly #assigned: Keyed[] = [];
  #unread: Token | undefined;

  constructor(text: string) {
    this.#parser = parserOf(text);
  }

  run(): LibclusterFile {
    const parser = this.#parser;
    const { kind, text } = parser.peek();
    if (kind === "key" || (kind === "punctuation" && (text === "[" || text === "%{"))) {
      this.#bare();
    } else {
      while (parser.peek().kind !== "end") this.#step(parser.take());
    }
    const found = this.#configured.length > 0 ? this.#configured : this.#assigned;
    if (found.length === 0) this.#nothing();
    const names = found.flatMap((topologies) => Object.keys(topologies));
    const replaced = names.filter((name, at) => names.indexOf(name) !== at);
    const value = Object.fromEntries(found.flatMap((topologies) => Object.entries(topologies)));
    return {
      ...termsOf(parser, value),
      value,
      settings: this.#settings,
      replaced: [...new Set(replaced)],
    };
  }

  /** The whole text is one keyword list: the topologies, or one that has them. */
  #bare(): void {
    const parser = this.#parser;
    const first = parser.peek();
    const value = first.kind === "key" ? parser.pairs() : parser.value();
    const rest = parser.peek();
    if (rest.kind !== "end") parser.refuse(rest, `${nameOf(rest)} behind the topologies`);
    const inner = isKeyed(value) ? value["topologies"] : undefined;
    const isWrapped = isKeyed(inner) && !("strategy" in inner);
    this.#add(this.#configured, isWrapped ? inner : value, first);
  }

  #step(token: Token): void {
    if (token.kind !== "identifier") return;
    if (token.text === "topologies" && this.#parser.isAt("=")) this.#assignment(token);
    else if (token.text === "config") this.#config();
  }

  #assignment(token: Token): void {
    const parser = this.#parser;
    parser.take();
    if (parser.isAt("[") || parser.isAt("%{")) this.#add(this.#assigned, parser.value(), token);
    else this.#unread = token;
  }

  /** `config :libcluster, …`, with and without parentheses. */
  #config(): void {
    const parser = this.#parser;
    if (parser.isAt("(")) parser.take();
    const app = parser.peek();
    if (app.kind !== "atom" || app.text !== "libcluster") return;
    parser.take();
    if (!parser.isAt(",")) return;
    parser.take();
    const named = parser.peek();
    if (named.kind === "atom") {
      parser.take();
      if (!parser.isAt(",")) parser.refuse(parser.peek(), "',' is expected");
      parser.take();
      this.#setting(named);
    }
    while (parser.peek().kind === "key") {
      this.#setting(parser.take());
      if (!parser.isAt(",")) break;
      parser.take();
    }
  }

  #setting(key: Token): void {
    const parser = this.#parser;
    const next = parser.peek();
    if (key.text === "topologies" && next.kind === "identifier" && next.text === "topologies") {
      parser.take();
      if (this.#assigned.length === 0) {
        parser.refuse(next, "'topologies' is a variable that no list is given to above");
      }
      this.#configured.push(...this.#assigned);
      return;
    }
    const value = parser.value();
    if (key.text === "topologies") this.#add(this.#configured, value, key);
    else this.#settings.push({ key: key.text, position: parser.position(key.start) });
  }

  #add(to: Keyed[], value: ElixirValue, token: Token): void {
    if (Array.isArray(value) && value.length === 0) to.push({});
    else if (isKeyed(value)) to.push(value);
    else this.#parser.refuse(token, "topologies are a keyword list: [name: [strategy: …]]");
  }

  #nothing(): never {
    if (this.#unread !== undefined) {
      this.#parser.refuse(this.#unread, "'topologies' is given something that is no list of terms");
    }
    const reason =
      "no topologies found: neither 'config :libcluster, topologies: […]', nor " +
      "'topologies = […]', nor a keyword list alone";
    throw new FoundationError("invalid_options", reason);
  }
}

/**
 * Finds the topologies of libcluster in a text: behind `config :libcluster`, given to a variable
 * `topologies`, or alone. The rest of the text is passed over, and nothing is run.
 *
 * @throws FoundationError `invalid_options`, with line and column where a term cannot be read
 */
export function readLibclusterFile(text: string): LibclusterFile {
  return new Search(text).run();
}
