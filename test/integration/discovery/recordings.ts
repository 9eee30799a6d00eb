import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { CandidateSet } from "foundation-runtime";

/** What one question was answered; `isOpen` where that had no end, status 0 where nothing came. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** The body of the question, where it had one. */
  readonly sent?: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isOpen: boolean;
}

/** One run of a provider: its options, what it asked and was answered, and what it made of that. */
export interface Scene<Options> {
  readonly title: string;
  readonly options: Options;
  readonly exchanges: readonly Exchange[];
  readonly last?: CandidateSet;
  /** How it ended by itself; HOST is the server. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** What a program of test/servers wrote down of one version of a server. */
export interface Recording<Options> {
  readonly versions: Readonly<Record<string, string>>;
  readonly scenes: readonly Scene<Options>[];
}

/** All recordings of a folder below test/fixtures. */
export function recordingsOf<Options>(folder: string): readonly Recording<Options>[] {
  const at = new URL(`../../fixtures/${folder}/`, import.meta.url);
  return readdirSync(at).map(
    (name) => JSON.parse(readFileSync(new URL(name, at), "utf8")) as Recording<Options>,
  );
}

/** Answers as the server did. */
export function replay(exchange: Exchange, response: ServerResponse): void {
  if (exchange.status === 0) return;
  response.writeHead(exchange.status, exchange.headers);
  response.flushHeaders();
  if (exchange.isOpen) response.write(exchange.body);
  else response.end(exchange.body);
}

/** The failure of a run, as recordings have it. */
export function failureOf(thrown: unknown, host: string): Scene<unknown>["failure"] {
  const { code, message } = thrown as { code: string; message: string };
  return { code, message: message.replace(host, "HOST") };
}

/** A set with its candidates by address: their order is nobody's promise. */
export function sorted(set: CandidateSet | undefined): unknown {
  return (
    set && {
      ...set,
      candidates: set.candidates.toSorted((left, right) => (left.address < right.address ? -1 : 1)),
    }
  );
}
