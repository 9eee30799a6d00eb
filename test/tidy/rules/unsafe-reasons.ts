import { type Finding, isRust, lineAt, type Rule, type SourceFile } from "../repository.ts";
import { maskRust } from "../rust-text.ts";

/** `unsafe` in Rust that states neither the invariant it rests on nor the duty of its callers. */
export const unsafeReasons: Rule = (files) =>
  files.flatMap((file) => (isRust(file.path) ? unreasoned(file) : []));

// In order: a block, an implementation, a trait, a foreign block, a function of any ABI.
const UNSAFE = new RegExp(
  String.raw`\bunsafe\s*(?:(?<block>\{)|(?<item>impl\b)|(?<trait>trait\b)|` +
    String.raw`(?<foreign>extern\s*(?:"[^"]*")?\s*\{)|` +
    String.raw`(?<function>(?:extern\s*(?:"[^"]*")?\s*)?fn\s+\w))`,
  "g",
);

function unreasoned(file: SourceFile): Finding[] {
  const mask = maskRust(file);
  const lines = file.text.split("\n");
  const maskLines = mask.split("\n");
  const findings: Finding[] = [];
  for (const match of mask.matchAll(UNSAFE)) {
    const line = lineAt(file.text, match.index);
    // Whoever declares puts a duty on callers; whoever uses states how the duty is met.
    const isDuty = match.groups?.function !== undefined || match.groups?.trait !== undefined;
    const remarks = remarksOf(lines, maskLines, line - 1);
    if (/\bSAFETY:/.test(remarks) || (isDuty && /# Safety\b/.test(remarks))) continue;
    const missing = isDuty ? "a `# Safety` doc" : "a `// SAFETY:` comment right above";
    findings.push({ path: file.path, line, reason: `unsafe without ${missing}` });
  }
  return findings;
}

/**
 * The comments of the statement at a line: behind its code, and the block above it. Attributes and
 * the first lines of the same statement may stand between, since rustfmt breaks lines as it likes.
 */
function remarksOf(lines: readonly string[], mask: readonly string[], index: number): string {
  const codeAt = (at: number): string => (mask[at] as string).trim();
  const isRemark = (at: number): boolean =>
    codeAt(at) === "" && (lines[at] as string).trim() !== "";
  const remarks = [(lines[index] as string).slice((mask[index] as string).trimEnd().length)];
  let at = index - 1;
  while (at >= 0 && codeAt(at) !== "" && !/[;{},]$/.test(codeAt(at))) at -= 1;
  for (; at >= 0 && isRemark(at); at -= 1) remarks.push(lines[at] as string);
  return remarks.join("\n");
}
