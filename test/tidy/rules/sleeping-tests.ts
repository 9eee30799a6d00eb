import {
  type Finding,
  isRust,
  isScript,
  lineAt,
  type Rule,
  type SourceFile,
} from "../repository.ts";
import { closingBrace, maskRust, spreadUse } from "../rust-text.ts";
import {
  child,
  children,
  nameOf,
  parseScript,
  type SyntaxNode,
  stringOf,
  walk,
} from "../syntax-tree.ts";

const REAL_TIME = /(?:^|\/)(?:integration|faults)(?:\/|\.rs$|_)/;
const REASON = "sleeps; wait on an event with a deadline, a sleep is a guess about the machine";

/** Sleeps in tests: too short on a loaded machine, and wasted on any other. */
export const sleepingTests: Rule = (files) =>
  files.flatMap((file) => {
    if (REAL_TIME.test(file.path)) return [];
    if (isScript(file.path) && file.path.startsWith("test/")) return scriptSleeps(file);
    return isRust(file.path) ? rustSleeps(file) : [];
  });

function scriptSleeps(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(parseScript(file).program, (node) => {
    if (!isSleep(node)) return;
    findings.push({ path: file.path, line: lineAt(file.text, node.start), reason: REASON });
  });
  return findings;
}

function isSleep(node: SyntaxNode): boolean {
  if (node.type === "ImportDeclaration") {
    const names = children(node, "specifiers").map((it) => nameOf(child(it, "imported")));
    const isTimers = /^(?:node:)?timers\/promises$/.test(stringOf(child(node, "source")) ?? "");
    return isTimers && names.some((name) => name === "setTimeout" || name === "scheduler");
  }
  if (node.type === "CallExpression") {
    const callee = child(node, "callee");
    if (/^(?:sleep|delay)(?:Ms)?$/.test(nameOf(callee) ?? "")) return true;
    // With nobody to notify it, a wait on memory of its own is a sleep.
    return nameOf(child(callee ?? node, "property")) === "wait" && makesOwnMemory(node);
  }
  return node.type === "NewExpression" && isTimerPromise(node);
}

function makesOwnMemory(call: SyntaxNode): boolean {
  if (nameOf(child(child(call, "callee") ?? call, "object")) !== "Atomics") return false;
  return children(call, "arguments")[0]?.type === "NewExpression";
}

// `new Promise((resolve) => setTimeout(resolve, …))`, however wrapped. A timer that rejects is a
// deadline, which is the cure and not the disease.
function isTimerPromise(node: SyntaxNode): boolean {
  const executor = children(node, "arguments")[0];
  if (nameOf(child(node, "callee")) !== "Promise" || executor === undefined) return false;
  const resolve = nameOf(children(executor, "params")[0]);
  if (resolve === undefined) return false;
  let resolvesByTimer = false;
  walk(executor, (call) => {
    if (call.type !== "CallExpression" || nameOf(child(call, "callee")) !== "setTimeout") return;
    const callback = children(call, "arguments")[0];
    if (callback === undefined) return;
    walk(callback, (inner) => {
      if (inner.type === "Identifier" && nameOf(inner) === resolve) resolvesByTimer = true;
    });
  });
  return resolvesByTimer;
}

// Named in full at the call, or brought in by a `use`. A timed wait on a channel is no sleep.
const RUST_SLEEP = /(?:^|::)(?:thread|time)::sleep(?:_ms|_until)?$/;

function rustSleeps(file: SourceFile): Finding[] {
  const mask = maskRust(file);
  const tests = /(?:^|\/)tests(?:\/|\.rs$)/.test(file.path) ? mask : testModules(mask);
  const named = [...tests.matchAll(/\buse\s+([^;]+);|(?:\w+::)+\w+/g)];
  return named
    .filter(([path, use]) => spreadUse(use ?? path).some((it) => RUST_SLEEP.test(it)))
    .map(({ index }) => ({ path: file.path, line: lineAt(file.text, index), reason: REASON }));
}

// Everything but the bodies of `#[cfg(test)] mod …` blanked out, offsets kept.
function testModules(mask: string): string {
  let result = mask.replaceAll(/[^\n]/g, " ");
  const opening = /#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:pub\s+)?mod\s+\w+\s*\{/g;
  for (const match of mask.matchAll(opening)) {
    const open = match.index + match[0].length - 1;
    const end = closingBrace(mask, open);
    result = result.slice(0, open) + mask.slice(open, end) + result.slice(end);
  }
  return result;
}
