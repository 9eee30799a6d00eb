import { resolve } from "node:path";
import { FoundationError } from "../../../base/errors.ts";
import { checkKeys, checkKind, checkWord, isPath } from "../../../base/option-checks.ts";
import { discoveryFailed, untilAborted } from "../asking.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions, readEntries } from "../entries.ts";
import {
  checkFollowOptions,
  FOLLOW_KEYS,
  type FollowedFile,
  type FollowOptions,
  followText,
} from "../followed-file.ts";
import type { CandidateSet, DiscoveryProvider, ProviderContext } from "../provider.ts";

/** A file with a list of addresses. */
export interface FileOptions extends EntryOptions, FollowOptions {
  /** Path of the file; the one that it means when the provider is made. */
  readonly path: string;
  /**
   * `lines`: an address in each line, `#` begins a comment. `json`: a list of addresses or of
   * objects with `address`, `port`, `name`, `isDraining`. Default: `json` for a path that ends in
   * `.json`, else `lines`.
   */
  readonly format?: "lines" | "json";
}

interface FilePlan extends FollowedFile {
  readonly format: "lines" | "json";
  readonly entries: EntryOptions;
}

/**
 * Addresses in a file, read anew when it changes. It is read whole or not at all: one that is being
 * written is waited for. A file that is gone is an error of the source, an empty one an empty
 * answer.
 *
 * @throws FoundationError `invalid_options`
 */
export function fileProvider(options: FileOptions): DiscoveryProvider {
  const plan = planOf(options);
  return {
    kind: "file",
    label: `file ${plan.path}`,
    candidates: (context) => untilAborted(context, follow(plan, context)),
  };
}

function planOf(options: FileOptions): FilePlan {
  const where = "Providers.file";
  checkKeys(where, options, [...ENTRY_KEYS, ...FOLLOW_KEYS, "path", "format"]);
  checkEntryOptions(where, options);
  checkKind(`path of ${where}`, isPath(options.path), "the path of a file");
  const path = resolve(options.path);
  const format = options.format ?? (path.endsWith(".json") ? "json" : "lines");
  checkWord(`format of ${where}`, format, ["lines", "json"]);
  return { path, format, entries: options, ...checkFollowOptions(where, options) };
}

async function* follow(plan: FilePlan, context: ProviderContext): AsyncGenerator<CandidateSet> {
  for await (const text of followText(plan, context)) {
    yield readEntries(entriesOf(plan, text), plan.entries, context);
  }
}

function entriesOf({ format, path }: FilePlan, text: string): Iterable<unknown> {
  if (format === "lines") return lines(text);
  const entries = parsed(path, text);
  if (Array.isArray(entries)) return entries;
  throw new FoundationError("discovery_failed", `the file ${path} is no list`);
}

function parsed(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw discoveryFailed(`the file ${path} is no JSON`, thrown);
  }
}

/** The lines that say something, one after the other. */
function* lines(text: string): Generator<string> {
  for (const line of text.split("\n")) {
    const entry = line.replace(/#.*/, "").trim();
    if (entry !== "") yield entry;
  }
}
