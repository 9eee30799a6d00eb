import type { EventLog } from "../../dist/ts/index.js";

/** A log that takes everything and has nothing; a test replaces what it is about. */
export function emptyLog(): EventLog {
  return {
    append: async () => {},
    get: async () => undefined,
    query: async () => [],
    pruneBefore: async () => 0,
    stats: async () => ({ events: 0, bytes: 0, eventIdMax: 0, appended: 0, pruned: 0 }),
    close: async () => {},
  };
}
