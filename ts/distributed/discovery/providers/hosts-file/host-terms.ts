import { FoundationError } from "../../../../base/errors.ts";

/** A comment, or an atom with the full stop after it; blanks before both. */
const PART = /\s*(?:%[^\n]*|(?:'((?:[^'\\\n]|\\.)*)'|([a-z][\w@]*))\s*\.(?=\s|%|$))/y;

/**
 * The hosts that a file `.hosts.erlang` lists: atoms with a full stop each, comments after `%`. The
 * empty atom, which Erlang ends such a list with, is none.
 *
 * @throws FoundationError `discovery_failed` with the line that is something else
 */
export function readHosts(text: string): readonly string[] {
  const hosts = new Set<string>();
  const { length: end } = text.trimEnd();
  PART.lastIndex = 0;
  while (PART.lastIndex < end) {
    const at = PART.lastIndex;
    const match = PART.exec(text);
    if (match === null) throw refusal(text, at);
    const host = match[1]?.replaceAll(/\\(.)/g, "$1") ?? match[2];
    if (host !== undefined && host !== "") hosts.add(host);
  }
  return [...hosts];
}

function refusal(text: string, at: number): FoundationError {
  const blanks = /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
  const line = text.slice(0, at + blanks).split("\n").length;
  const wanted = "it has to be a host like 'app-1.internal'. with quotes and a full stop";
  return new FoundationError("discovery_failed", `line ${line} of the hosts file: ${wanted}`);
}
