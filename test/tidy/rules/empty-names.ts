import type { Rule } from "../repository.ts";

const EMPTY_WORDS: ReadonlySet<string> = new Set([
  "util",
  "utils",
  "helper",
  "helpers",
  "common",
  "misc",
]);

/** Files and folders whose name says nothing, so that anything ends up in them. */
export const emptyNames: Rule = (files) =>
  files.flatMap(({ path }) => {
    const word = path
      .toLowerCase()
      .split(/[/._-]/)
      .find((part) => EMPTY_WORDS.has(part));
    if (word === undefined) return [];
    return [{ path, line: 1, reason: `is called "${word}"; name it after the thing it holds` }];
  });
