import type { Rule } from "./repository.ts";

/** Runs a rule over a tree of planted files; answers where it objects, as `path:line`, in order. */
export function objections(rule: Rule, tree: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(tree).map(([path, text]) => ({ path, text }));
  return rule(files).map(({ path, line }) => `${path}:${line}`);
}
