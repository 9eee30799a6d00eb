import { posix } from "node:path";
import { isGenerated, isScript, type Rule, type SourceFile } from "../repository.ts";
import { maskRust } from "../rust-text.ts";
import { parseScript, stringOf, walk } from "../syntax-tree.ts";

// What a person, a tool or the package manifest starts by name.
const SCRIPT_ROOTS: readonly RegExp[] = [
  /^ts\/(?:index|(?:beam|compat|schema)\/index|cli\/main)\.ts$/,
  /^[\w.-]+\.(?:ts|mjs)$/,
  /^(?:bindings|npm)\/[\w-]+\.mjs$/,
  /^(?:bench|examples|native)\//,
  /^test\/.*\.test(?:-d)?\.ts$/,
  /^test\/.*\/fixtures\//,
  // Each proof is a program; `run.mjs` beside them starts all that it finds.
  /^test\/prove\/[\w-]+\.mjs$/,
  // Started by hand with a server that is built for it.
  /^test\/servers\/record-[\w-]+\.mjs$/,
  // `npm run parity` starts it.
  /^test\/parity\/check\.mjs$/,
];
const RUST_ROOTS: readonly RegExp[] = [
  /(?:^|\/)build\.rs$/,
  /(?:^|\/)src\/(?:lib|main|bin\/[^/]+)\.rs$/,
  /(?:^|\/)(?:tests|benches|examples)\/[^/]+\.rs$/,
  // Fuzz targets are named one by one on the command line, wherever their crate keeps them.
  /^native\/fuzz\//,
];

/** Source files that nothing leads to: forgotten code, or a test that never runs. */
export const reachability: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const pending = files.filter(({ path }) => isRoot(path)).map(({ path }) => path);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    pending.push(...(path.endsWith(".rs") ? modulesOf(file) : referencesOf(file)));
  }
  return files
    .filter(({ path }) => isTracked(path) && !reached.has(path))
    .map(({ path }) => ({ path, line: 1, reason: "no entry point, test or bench leads here" }));
};

function isRoot(path: string): boolean {
  const roots = path.endsWith(".rs") ? RUST_ROOTS : SCRIPT_ROOTS;
  return roots.some((root) => root.test(path));
}

function isTracked(path: string): boolean {
  if (isGenerated(path)) return false;
  return isScript(path) || path.endsWith(".rs");
}

/**
 * Scripts that a script names: by import, or by any string that is the path of a script, since
 * workers and child processes are started by file name. Built paths lead back to their source.
 */
function referencesOf(file: SourceFile): string[] {
  if (!isScript(file.path)) return [];
  const references: string[] = [];
  walk(parseScript(file).program, (node) => {
    const text = stringOf(node);
    if (text === undefined || !/\.(?:ts|js|mjs)$/.test(text)) return;
    const builtPath = /(?:^|\/)dist\/((?:ts|bindings)\/.*)$/.exec(text)?.[1];
    const path = builtPath ?? posix.join(posix.dirname(file.path), text);
    references.push(path, path.replace(/\.js$/, ".ts"));
  });
  return references;
}

function modulesOf(file: SourceFile): string[] {
  const folder = moduleFolder(file.path);
  const modules: string[] = [];
  const text = maskRust(file);
  for (const match of text.matchAll(
    /(#\[path\s*=\s*"[^"]*"\]\s*)?(?:pub(?:\([^)]*\))?\s+)?\bmod\s+(\w+)\s*;/g,
  )) {
    // The mask blanks the inside of strings, so the path itself is read from the file.
    const source = file.text.slice(match.index, match.index + match[0].length);
    const named = match[1] === undefined ? undefined : /"([^"]*)"/.exec(source)?.[1];
    if (named !== undefined) modules.push(posix.join(posix.dirname(file.path), named));
    modules.push(`${folder}/${match[2]}.rs`, `${folder}/${match[2]}/mod.rs`);
  }
  for (const match of text.matchAll(/\binclude!\s*\(\s*"[^"]*"/g)) {
    const source = file.text.slice(match.index, match.index + match[0].length);
    modules.push(posix.join(posix.dirname(file.path), /"([^"]*)"/.exec(source)?.[1] ?? ""));
  }
  return modules;
}

// `lib.rs`, `main.rs`, `mod.rs` and test roots look beside themselves, `name.rs` in `name/`.
function moduleFolder(path: string): string {
  const folder = posix.dirname(path);
  const name = posix.basename(path, ".rs");
  return isRoot(path) || name === "mod" ? folder : `${folder}/${name}`;
}
