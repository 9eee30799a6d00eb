import { type FSWatcher, watch } from "node:fs";
import type { Alarm } from "./alarm.ts";
import type { ProviderNote } from "./provider.ts";

/**
 * Rings when something happens to a file of a folder whose name matters, or one whose name the
 * system does not tell. Undefined, and counted as `unwatched`, where the system cannot watch it:
 * whoever follows it has to look now and then anyway.
 */
export function watchFolder(
  path: string,
  matters: (fileName: string) => boolean,
  { alarm, note }: { readonly alarm: Alarm; readonly note: ProviderNote },
): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, (_, fileName) => {
      if (fileName === null || matters(fileName)) alarm.ring();
    });
    watcher.on("error", () => note("unwatched"));
    return watcher;
  } catch {
    // Out of watches, or no such folder, which the reading tells of.
    note("unwatched");
    return undefined;
  }
}
