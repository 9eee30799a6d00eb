import { rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { checkKeys, checkKind, isPath } from "../../../../base/option-checks.ts";
import { Alarm } from "../../alarm.ts";
import { answerOf, checkPeriod, untilAborted } from "../../asking.ts";
import { readEntries } from "../../entries.ts";
import { watchFolder } from "../../folder-watch.ts";
import type {
  CandidateSet,
  DiscoveringNode,
  DiscoveryProvider,
  ProviderContext,
} from "../../provider.ts";
import { PortFolder } from "./port-folder.ts";

/** A folder of files, one for each node of this host. Defaults: {@link LOCAL_DEFAULTS}. */
export interface LocalOptions {
  /**
   * The folder, made with mode 0700 where it misses; one that belongs to others, or in which they
   * can write, is refused. Default: `foundation` in `XDG_RUNTIME_DIR`, else `foundation-UID` in the
   * folder for temporary files.
   */
  readonly directory?: string;
  /** Pause between two looks where no change was noticed. Unit: ms. Default: 5,000. */
  readonly pollMs?: number;
  /** Longest time that the disk may take. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** How the folder is looked at unless the options say otherwise. */
export const LOCAL_DEFAULTS = Object.freeze({
  pollMs: 5_000, // the watcher tells at once who comes; this finds those that were killed
  timeoutMs: 5_000, // a disk that takes longer is gone
});

/**
 * Nodes of this user on this host, which write their addresses into one folder: those of the same
 * cluster find each other. Files of processes that are gone are swept.
 *
 * @throws FoundationError `invalid_options`
 */
export function localProvider(options: LocalOptions = {}): DiscoveryProvider {
  const where = "Providers.local";
  checkKeys(where, options, ["directory", ...Object.keys(LOCAL_DEFAULTS)]);
  const { directory = ownDirectory() } = options;
  const { pollMs, timeoutMs } = { ...LOCAL_DEFAULTS, ...options };
  checkKind(`directory of ${where}`, isPath(directory), "the path of a folder");
  checkPeriod(`pollMs of ${where}`, pollMs);
  checkPeriod(`timeoutMs of ${where}`, timeoutMs);
  const root = resolve(directory);
  const own = new Set<string>();
  const looks = new Set<Promise<unknown>>();
  return {
    kind: "local",
    announces: true,
    label: `local ${root}`,
    candidates: (context) =>
      untilAborted(context, follow({ root, pollMs, timeoutMs, own, looks }, context)),
    close: async () => {
      // One that an abort has left behind may be about to write its file.
      await Promise.allSettled(looks);
      const paths = [...own];
      own.clear();
      await Promise.all(paths.map(async (path) => rm(path, { force: true })));
    },
  };
}

function ownDirectory(): string {
  const runtime = process.env["XDG_RUNTIME_DIR"];
  if (runtime) return join(runtime, "foundation");
  return join(tmpdir(), `foundation-${process.getuid?.() ?? userInfo().username}`);
}

interface LocalPlan {
  readonly root: string;
  readonly pollMs: number;
  readonly timeoutMs: number;
  /** Files of our own, which `close` takes back. */
  readonly own: Set<string>;
  /** Looks that have not ended, also those that nobody waits for any more. */
  readonly looks: Set<Promise<unknown>>;
}

async function* follow(
  { root, pollMs, timeoutMs, own, looks }: LocalPlan,
  context: ProviderContext,
): AsyncGenerator<CandidateSet> {
  const { self, signal, note } = context;
  const folder = new PortFolder(root, self.cluster, note);
  const question = { what: `the folder ${root}`, timeoutMs };
  const alarm = new Alarm();
  await answerOf(context, question, async () => folder.open());
  // Drafts are renamed when they are whole, which is told of too.
  const matters = (fileName: string): boolean => !fileName.startsWith(".");
  const watcher = watchFolder(folder.path, matters, { alarm, note });
  try {
    while (!signal.aborted) {
      const entries = await answerOf(context, question, async () => {
        const look = lookAt(folder, self, own);
        looks.add(look);
        return look.finally(() => looks.delete(look));
      });
      yield readEntries(entries, {}, context);
      await alarm.wait(context, pollMs);
    }
  } finally {
    watcher?.close();
  }
}

async function lookAt(
  folder: PortFolder,
  self: DiscoveringNode,
  own: Set<string>,
): Promise<readonly unknown[]> {
  await folder.open();
  own.add(await folder.announce(self));
  return folder.entries();
}
