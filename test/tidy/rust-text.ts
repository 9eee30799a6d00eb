import type { SourceFile } from "./repository.ts";

const masked = new WeakMap<SourceFile, string>();

// In order: line comment, raw string, string, character (not a lifetime), block comment start.
const OPAQUE =
  /\/\/[^\n]*|\bb?c?r(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\\n]|\\[^\n]+?)'|\/\*/g;

/**
 * The file with comments and the insides of strings blanked out, every offset and line kept: what
 * is left may be searched for words and braces without being fooled by prose.
 */
export function maskRust(file: SourceFile): string {
  const known = masked.get(file);
  if (known !== undefined) return known;
  const { text } = file;
  const pattern = new RegExp(OPAQUE);
  let result = "";
  let done = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const isBlock = match[0] === "/*";
    const end = isBlock ? blockCommentEnd(text, match.index) : pattern.lastIndex;
    const keepsQuotes = text[end - 1] === '"' && !match[0].startsWith("//");
    result += text.slice(done, match.index) + blank(text.slice(match.index, end), keepsQuotes);
    done = end;
    pattern.lastIndex = end;
  }
  result += text.slice(done);
  masked.set(file, result);
  return result;
}

function blank(text: string, keepsQuotes: boolean): string {
  return text.replaceAll(keepsQuotes ? /[^\n"]/g : /[^\n]/g, " ");
}

// Block comments nest in Rust.
function blockCommentEnd(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

/** A function with a body, by offsets into the file. */
export interface RustFunction {
  readonly name: string;
  /** Where the word `fn` stands. */
  readonly start: number;
  /** The opening brace. */
  readonly bodyStart: number;
  /** Just behind the closing brace. */
  readonly end: number;
}

/** Every function with a body, nested ones too. Works on masked text. */
export function rustFunctions(mask: string): RustFunction[] {
  const functions: RustFunction[] = [];
  for (const match of mask.matchAll(/\bfn\s+(\w+)/g)) {
    const bodyStart = bodyOf(mask, match.index + match[0].length);
    if (bodyStart === undefined) continue;
    const end = closingBrace(mask, bodyStart);
    functions.push({ name: match[1] as string, start: match.index, bodyStart, end });
  }
  return functions;
}

// A `;` inside brackets belongs to an array type; outside it ends a declaration without a body.
function bodyOf(mask: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < mask.length; at += 1) {
    const character = mask[at] as string;
    if ("([".includes(character)) depth += 1;
    else if (")]".includes(character)) depth -= 1;
    else if (depth === 0 && character === "{") return at;
    else if (depth === 0 && character === ";") return undefined;
  }
  return undefined;
}

/** The offset behind the brace that closes the one at `open`; the text's end if none does. */
export function closingBrace(mask: string, open: number): number {
  let depth = 0;
  for (let at = open; at < mask.length; at += 1) {
    if (mask[at] === "{") depth += 1;
    else if (mask[at] === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return mask.length;
}

/** The paths of a `use` line, groups spread out: `a::{b, c::d}` gives `a::b` and `a::c::d`. */
export function spreadUse(tree: string): string[] {
  const text = tree.replaceAll(/\s+/g, "");
  const open = text.indexOf("{");
  if (open === -1) return [text];
  const prefix = text.slice(0, open);
  const inside = text.slice(open + 1, closingBrace(text, open) - 1);
  return splitOutsideBraces(inside).flatMap((part) => spreadUse(prefix + part));
}

function splitOutsideBraces(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}") depth -= 1;
    else if (text[at] === "," && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.filter((part) => part !== "");
}
