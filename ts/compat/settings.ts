import { nearest } from "../base/nearest.ts";
import type { TextPosition } from "./elixir/text-position.ts";
import { ElixirCode, ElixirTuple } from "./elixir/values.ts";
import type { ReportList, ReportPlace, ReportWriter } from "./report.ts";

/** Longest text of a value in a report. Unit: characters. */
const SHOWN_MAX = 60;

/** Settings by key, as a user wrote them. */
export type Keyed = Readonly<Record<string, unknown>>;

/** What a value has to be, and what is made of it. */
export interface Kind<Value> {
  /** What it has to be, like `a port from 1 to 65535`. */
  readonly what: string;
  /** No report shows what was given. */
  readonly isSecret?: boolean;
  /** The value; undefined for what is none. */
  read(given: unknown): Value | undefined;
}

/** Where the key of an object is written; undefined where that is not known. */
export type PlaceOf = (container: object, key: string) => TextPosition | undefined;

/** Whether it is an object with keys, no list and nothing of a class. */
export function isKeyed(value: unknown): value is Keyed {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A key as Elixir writes it: `nodeBasename` as `node_basename`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A value as a report shows it, cut to a short line. */
export function shown(value: unknown): string {
  const text = written(value, 0);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function written(value: unknown, depth: number): string {
  if (value instanceof ElixirCode) return value.text;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  if (depth === 3) return "…";
  const inner = (one: unknown): string => written(one, depth + 1);
  if (value instanceof ElixirTuple) return `{${value.items.map(inner).join(", ")}}`;
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(inner).join(", ")}]`;
  const pairs = Object.entries(value).slice(0, 8);
  return `[${pairs.map(([key, one]) => `${key}: ${inner(one)}`).join(", ")}]`;
}

/** Where the settings of one object are, and where their counterparts go. */
export interface SettingsPlace {
  readonly report: ReportWriter;
  readonly topology: string | undefined;
  /** Path of the counterparts, like `discovery.sources[0].provider.options`. */
  readonly target: string;
  readonly placeOf: PlaceOf;
}

/** Settings of one object: each is read once, in either spelling, and none is passed over. */
export class Settings {
  readonly #given: Keyed;
  readonly #place: SettingsPlace;
  /** Keys as written, by their spelling with underscores. */
  readonly #written = new Map<string, string>();
  readonly #known = new Set<string>();

  constructor(given: Keyed, place: SettingsPlace) {
    this.#given = given;
    this.#place = place;
    for (const key of Object.keys(given)) {
      const name = snakeCase(key);
      const first = this.#written.get(name);
      if (first === undefined) this.#written.set(name, key);
      else this.note("warnings", key, `'${key}' is '${first}' once more; '${first}' counts`);
    }
  }

  /** Whether there is something under a key: `nil` is nothing. */
  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  /** What there is under a key, whatever it is; undefined for `nil`. */
  raw(name: string): unknown {
    this.#known.add(name);
    const key = this.#written.get(name);
    return key === undefined ? undefined : (this.#given[key] ?? undefined);
  }

  /** The first of these keys that is there; the others are known all the same. */
  either(...names: readonly [string, ...string[]]): string {
    const there = names.filter((name) => this.has(name));
    for (const other of there.slice(1)) {
      this.note("warnings", other, `'${other}' is another name of '${there[0]}', which counts`);
    }
    return there[0] ?? names[0];
  }

  /** A setting that becomes the option `to`; undefined where there is none, or none that can be. */
  read<Value>(name: string, to: string, kind: Kind<Value>): Value | undefined {
    const given = this.raw(name);
    if (given === undefined) return undefined;
    const isSecret = kind.isSecret === true;
    if (given instanceof ElixirCode) {
      const code = isSecret ? "code" : shown(given);
      this.unsupported(name, `${code} has a value only in Elixir: give a value`);
      return undefined;
    }
    const value = kind.read(given);
    if (value === undefined) {
      const found = isSecret ? "what is given" : shown(given);
      this.unsupported(name, `it has to be ${kind.what}, not ${found}`);
      return undefined;
    }
    this.mapped(name, to);
    return value;
  }

  /** As `read`; that it is not there at all is a line of the report, too. */
  required<Value>(name: string, to: string, kind: Kind<Value>): Value | undefined {
    if (!this.has(name)) this.unsupported(name, `it is required: ${kind.what}`);
    return this.read(name, to, kind);
  }

  /** A setting that has a counterpart. */
  mapped(name: string, to: string): void {
    const { report, target } = this.#place;
    report.mapped.push({ ...this.#at(name), to: to === "" ? target : `${target}.${to}` });
  }

  /** A setting that is not needed, if it is there. */
  ignored(name: string, why: string): void {
    if (this.has(name)) this.note("ignored", name, why);
  }

  /** A setting that nothing is made of. */
  unsupported(name: string, why: string): void {
    this.#known.add(name);
    this.note("unsupported", name, why);
  }

  /** A line of the report about a key, or about the object where there is none. */
  note(list: ReportList, name: string | undefined, text: string): void {
    this.#place.report.note(list, text, name === undefined ? this.#whole() : this.#at(name));
  }

  /** Keys that nobody asked for, each a warning with the known one that is nearest. */
  rest(where: string): void {
    for (const [name, key] of this.#written) {
      if (this.#known.has(name)) continue;
      const guess = nearest(name, [...this.#known]);
      const hint = guess === undefined ? "" : `; did you mean '${guess}'?`;
      this.note("warnings", key, `unknown key '${key}' in ${where}${hint}`);
      this.note("ignored", key, "the key is unknown");
    }
  }

  #whole(): ReportPlace {
    return { topology: this.#place.topology, key: undefined, position: undefined };
  }

  #at(name: string): ReportPlace {
    const key = this.#written.get(name) ?? name;
    return { ...this.#whole(), key, position: this.#place.placeOf(this.#given, key) };
  }
}
