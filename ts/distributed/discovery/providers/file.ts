import { stat } from "node:fs/promises";
import { dirname, basename as fileName, resolve } from "node:path";
import { FoundationError } from "../../../base/errors.ts";
import { checkKeys, checkKind, checkWord } from "../../../base/option-checks.ts";
import { Alarm } from "../alarm.ts";
import { answerOf, checkPeriod, discoveryFailed, untilAborted } from "../asking.ts";
import { readCapped } from "../capped-file.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions, readEntries } from "../entries.ts";
import { watchFolder } from "../folder-watch.ts";
import {
  type CandidateSet,
  type DiscoveryProvider,
  type ProviderContext,
  pause,
} from "../provider.ts";

/** A file with a list of addresses. Defaults: {@link FILE_DEFAULTS}. */
export interface FileOptions extends EntryOptions {
  /** Path of the file; the one that it means when the provider is made. */
  readonly path: string;
  /**
   * `lines`: an address in each line, `#` begins a comment. `json`: a list of addresses or of
   * objects with `address`, `port`, `name`, `isDraining`. Default: `json` for a path that ends in
   * `.json`, else `lines`.
   */
  readonly format?: "lines" | "json";
  /** Pause between two looks where no change was noticed. Unit: ms. Default: 10,000. */
  readonly pollMs?: number;
  /** How long the file has to stay as it is before it is read. Unit: ms. Default: 100. */
  readonly settleMs?: number;
  /** Longest time that its disk may take. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** How a file is looked at unless the options say otherwise. */
export const FILE_DEFAULTS = Object.freeze({
  pollMs: 10_000, // for disks of other machines, whose changes are not told of
  settleMs: 100, // longer than a writer pauses between emptying a file and filling it
  timeoutMs: 5_000, // a disk that takes longer is gone
});

/** A list of all that one round looks at takes 100 KiB. Unit: bytes. */
const FILE_BYTES_MAX = 8 * 1_048_576;

/** Times that a file may change under the reader before that is an error. */
const READINGS_MAX = 50;

/** Where Kubernetes puts a mounted ConfigMap: it swaps this link, and the files seem untouched. */
const CONFIG_MAP_LINK = "..data";

interface FilePlan extends Required<Pick<FileOptions, "format" | keyof typeof FILE_DEFAULTS>> {
  readonly path: string;
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
  checkKeys(where, options, [...ENTRY_KEYS, "path", "format", ...Object.keys(FILE_DEFAULTS)]);
  checkEntryOptions(where, options);
  const isPath = typeof options.path === "string" && /^[^\0]+$/.test(options.path);
  checkKind(`path of ${where}`, isPath, "the path of a file");
  const path = resolve(options.path);
  const format = options.format ?? (path.endsWith(".json") ? "json" : "lines");
  checkWord(`format of ${where}`, format, ["lines", "json"]);
  const { pollMs, settleMs, timeoutMs } = FILE_DEFAULTS;
  return {
    path,
    format,
    entries: options,
    pollMs: checkPeriod(`pollMs of ${where}`, options.pollMs ?? pollMs),
    settleMs: checkPeriod(`settleMs of ${where}`, options.settleMs ?? settleMs),
    timeoutMs: checkPeriod(`timeoutMs of ${where}`, options.timeoutMs ?? timeoutMs),
  };
}

async function* follow(plan: FilePlan, context: ProviderContext): AsyncGenerator<CandidateSet> {
  const alarm = new Alarm();
  const { note } = context;
  const names: readonly string[] = [fileName(plan.path), CONFIG_MAP_LINK];
  // The folder: a file that is replaced is another one, unknown to a watcher of the old.
  const watcher = watchFolder(dirname(plan.path), (name) => names.includes(name), { alarm, note });
  try {
    let known: string | undefined;
    while (!context.signal.aborted) {
      const { stamp, text } = await readSettled(plan, context, known);
      known = stamp;
      yield readEntries(entriesOf(plan, text), plan.entries, context);
      await alarm.wait(context, plan.pollMs);
    }
  } finally {
    watcher?.close();
  }
}

/** The text of the file once it stands still. One that is known already is read at once. */
async function readSettled(
  { path, settleMs, timeoutMs }: FilePlan,
  context: ProviderContext,
  known: string | undefined,
): Promise<{ readonly stamp: string; readonly text: string }> {
  const what = `the file ${path}`;
  let stamp = known;
  for (let readings = 0; readings < READINGS_MAX; readings += 1) {
    const before = await answerOf(context, { what, timeoutMs }, async () => stampOf(path));
    if (before !== undefined && before === stamp) {
      const text = await answerOf(context, { what, timeoutMs }, async () => textOf(path));
      const after = await answerOf(context, { what, timeoutMs }, async () => stampOf(path));
      if (before === after && text !== undefined) return { stamp, text };
    } else if (before === undefined && stamp === GONE) {
      throw new FoundationError("discovery_failed", `${what} is not there`);
    }
    stamp = before ?? GONE;
    await pause(context, settleMs);
  }
  throw new FoundationError("discovery_failed", `${what} does not stop changing`);
}

const GONE = "";

/** Changes whenever the file does; undefined where there is none. */
async function stampOf(path: string): Promise<string | undefined> {
  return unlessMissing(async () => {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(":");
  });
}

async function textOf(path: string): Promise<string | undefined> {
  return unlessMissing(async () => {
    return new TextDecoder().decode(await readCapped(path, FILE_BYTES_MAX));
  });
}

async function unlessMissing<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === "ENOENT") return undefined;
    throw thrown;
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
