import { stat } from "node:fs/promises";
import { dirname, basename as fileName } from "node:path";
import { FoundationError } from "../../base/errors.ts";
import { Alarm } from "./alarm.ts";
import { answerOf, checkPeriod } from "./asking.ts";
import { readCapped } from "./capped-file.ts";
import { watchFolder } from "./folder-watch.ts";
import { type ProviderContext, pause } from "./provider.ts";

/** How a file is followed. Defaults: {@link FILE_DEFAULTS}. */
export interface FollowOptions {
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

/** The keys of {@link FollowOptions}. */
export const FOLLOW_KEYS: readonly string[] = Object.keys(FILE_DEFAULTS);

/** Checks these options and adds defaults; `where` is what they belong to. */
export function checkFollowOptions(where: string, options: FollowOptions): Required<FollowOptions> {
  const { pollMs, settleMs, timeoutMs } = { ...FILE_DEFAULTS, ...options };
  return {
    pollMs: checkPeriod(`pollMs of ${where}`, pollMs),
    settleMs: checkPeriod(`settleMs of ${where}`, settleMs),
    timeoutMs: checkPeriod(`timeoutMs of ${where}`, timeoutMs),
  };
}

/** A list of all that one round looks at takes 100 KiB. Unit: bytes. */
const FILE_BYTES_MAX = 8 * 1_048_576;

/** Times that a file may change under the reader before that is an error. */
const READINGS_MAX = 50;

/** Where Kubernetes puts a mounted ConfigMap: it swaps this link, and the files seem untouched. */
const CONFIG_MAP_LINK = "..data";

/** A file that is followed. */
export interface FollowedFile extends Required<FollowOptions> {
  readonly path: string;
}

/**
 * The text of a file, now and whenever it may have changed. It is read whole or not at all: one
 * that is being written is waited for.
 *
 * @throws FoundationError `discovery_failed` for a file that is not there, is none, has more than
 *   8 MiB, or does not stop changing
 */
export async function* followText(
  file: FollowedFile,
  context: ProviderContext,
): AsyncGenerator<string> {
  const alarm = new Alarm();
  const { note } = context;
  const names: readonly string[] = [fileName(file.path), CONFIG_MAP_LINK];
  // The folder: a file that is replaced is another one, unknown to a watcher of the old.
  const watcher = watchFolder(dirname(file.path), (name) => names.includes(name), { alarm, note });
  try {
    let known: string | undefined;
    while (!context.signal.aborted) {
      const { stamp, text } = await readSettled(file, context, known);
      known = stamp;
      yield text;
      await alarm.wait(context, file.pollMs);
    }
  } finally {
    watcher?.close();
  }
}

/** The text of the file once it stands still. One that is known already is read at once. */
async function readSettled(
  { path, settleMs, timeoutMs }: FollowedFile,
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
