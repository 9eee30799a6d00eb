import { type Finding, isRust, lineAt, type Rule, type SourceFile } from "../repository.ts";
import { maskRust, spreadUse } from "../rust-text.ts";
import { child, nameOf, parseScript, stringOf, walk } from "../syntax-tree.ts";
import { crateOf, dependenciesOf } from "./crate-arrows.ts";

const PURE_CRATES = [
  "machine",
  "seal",
  "frame",
  "link",
  "membership",
  "detector",
  "broadcast",
  "cluster",
  "crdt",
] as const;

// What decides and does nothing else.
const PURE_SCRIPT_FOLDERS: readonly string[] = ["ts/distributed/topology/rules/"];

// Clocks, sockets, threads, files and process-wide randomness. `core::time::Duration` is a number.
const IMPURE_CRATES = "tokio|rand|rand_core|getrandom|fastrand|socket2|mio|libc";
const IMPURE_PATH = new RegExp(
  `^(?:std::(?:time|net|thread|fs|env|process|os)|ring::rand|${IMPURE_CRATES})(?:::|$)`,
);
const IMPURE_CRATE = new RegExp(`^(?:${IMPURE_CRATES})(?:-|$)`);
const IMPURE_GLOBALS: ReadonlySet<string> = new Set([
  ...["Date", "performance", "process", "crypto", "fetch", "WebSocket", "Worker"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
]);
const IMPURE_MODULES: ReadonlySet<string> = new Set([
  ...["timers", "perf_hooks", "net", "tls", "dgram", "http", "http2", "https"],
  ...["worker_threads", "child_process", "process", "fs", "os", "crypto"],
]);

/** A rule for the given rooms; the tree is checked with the real lists, tests plant their own. */
export function purityOf(crates: readonly string[], scriptFolders: readonly string[]): Rule {
  return (files) =>
    files.flatMap((file) => {
      const crate = /^native\/([\w-]+)\/src\//.exec(file.path)?.[1];
      if (isRust(file.path) && crate !== undefined && crates.includes(crate)) return rust(file);
      if (crates.includes(crateOf(file.path) ?? "")) return manifest(file);
      if (scriptFolders.some((folder) => file.path.startsWith(folder))) return script(file);
      return [];
    });
}

/** A clock, socket, thread or global random in a room whose answers must replay from its inputs. */
export const purity: Rule = purityOf(PURE_CRATES, PURE_SCRIPT_FOLDERS);

function rust(file: SourceFile): Finding[] {
  const mask = maskRust(file);
  const findings: Finding[] = [];
  const report = (offset: number, reason: string): void => {
    findings.push({ path: file.path, line: lineAt(file.text, offset), reason });
  };
  for (const match of mask.matchAll(/\buse\s+([^;]+);/g)) {
    for (const path of spreadUse(match[1] as string)) {
      if (IMPURE_PATH.test(path.replace(/^::/, ""))) report(match.index, impure(path));
    }
  }
  // Whole paths in expressions and types; those of `use` lines were spread out above.
  const unused = mask.replaceAll(/\buse\s+[^;]+;/g, (use) => use.replaceAll(/[^\n]/g, " "));
  for (const match of unused.matchAll(/(?<![\w:])(?:::)?(?:\w+::)+\w+/g)) {
    const path = match[0].replace(/^::/, "");
    if (IMPURE_PATH.test(path)) report(match.index, impure(path));
  }
  if (file.path.endsWith("/src/lib.rs") && !mask.includes("#![forbid(unsafe_code)]")) {
    report(0, "a PURE crate says #![forbid(unsafe_code)] in its lib.rs");
  }
  return findings;
}

function manifest(file: SourceFile): Finding[] {
  return dependenciesOf(file)
    .filter(({ name }) => IMPURE_CRATE.test(name))
    .map(({ name, line }) => ({ path: file.path, line, reason: impure(name) }));
}

function script(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(parseScript(file).program, (node, parent) => {
    const named = impureName(node, parent);
    if (named === undefined) return;
    findings.push({ path: file.path, line: lineAt(file.text, node.start), reason: impure(named) });
  });
  return findings;
}

type Node = Parameters<Parameters<typeof walk>[1]>[0];

function impureName(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === "ImportDeclaration" || node.type === "ImportExpression") {
    const specifier = stringOf(child(node, "source")) ?? "";
    const module = specifier.replace(/^node:/, "").split("/")[0] as string;
    return IMPURE_MODULES.has(module) ? specifier : undefined;
  }
  if (node.type === "MemberExpression") {
    const isRandom =
      nameOf(child(node, "object")) === "Math" && nameOf(child(node, "property")) === "random";
    return isRandom ? "Math.random" : undefined;
  }
  if (node.type !== "Identifier" || parent === undefined) return undefined;
  // `message.process` and `{ process: 1 }` are the room's own words, not the globals.
  const isOwnWord = ["property", "key", "imported"].some((field) => parent[field] === node);
  const name = nameOf(node) ?? "";
  return !isOwnWord && IMPURE_GLOBALS.has(name) ? name : undefined;
}

function impure(name: string): string {
  return `names ${name} in a PURE room; time, chance and bytes come in as arguments`;
}
