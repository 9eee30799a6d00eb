/** Something that ends by itself when its time is over. */
export interface Expiring {
  /** Whether it is over already. */
  readonly isSettled: boolean;
  /** Its time is over. */
  expire(): void;
}

interface Entry {
  readonly dueAt: number;
  readonly expiring: Expiring;
}

interface Line {
  entries: Entry[];
  next: number;
  /** Entries at which the settled ones are taken out. */
  compactAt: number;
}

/** Entries that a line may keep although they are settled. */
const COMPACT_AT_MIN = 1_024;

/**
 * Timeouts for very many waits, of which nearly all end before their time: a timer for each length
 * of wait instead of one for each wait. A wait may end up to a thirty-second part of its length,
 * at least a millisecond, late.
 */
export class Deadlines {
  readonly #lines = new Map<number, Line>();

  /** Ends `expiring` when so many milliseconds have passed, unless it is settled by then. */
  add(timeoutMs: number, expiring: Expiring): void {
    const entry = { dueAt: performance.now() + timeoutMs, expiring };
    const line = this.#lines.get(timeoutMs);
    if (line !== undefined) {
      line.entries.push(entry);
      if (line.entries.length >= line.compactAt) compact(line);
      return;
    }
    const started: Line = { entries: [entry], next: 0, compactAt: COMPACT_AT_MIN };
    this.#lines.set(timeoutMs, started);
    this.#plan(timeoutMs, started, timeoutMs);
  }

  /** Waits that are kept, settled ones among them until they are taken out. */
  get size(): number {
    let size = 0;
    for (const { entries, next } of this.#lines.values()) size += entries.length - next;
    return size;
  }

  #plan(timeoutMs: number, line: Line, inMs: number): void {
    // Not referenced: what is waited for keeps the process alive, or nothing does.
    setTimeout(() => this.#expire(timeoutMs, line), Math.max(1, Math.ceil(inMs))).unref();
  }

  #expire(timeoutMs: number, line: Line): void {
    const now = performance.now();
    while (line.next < line.entries.length) {
      const { dueAt, expiring } = line.entries[line.next] as Entry;
      if (!expiring.isSettled) {
        if (dueAt > now) return this.#plan(timeoutMs, line, dueAt - now + timeoutMs / 32);
        expiring.expire();
      }
      line.next++;
    }
    this.#lines.delete(timeoutMs);
  }
}

function compact(line: Line): void {
  line.entries = line.entries.slice(line.next).filter(({ expiring }) => !expiring.isSettled);
  line.next = 0;
  line.compactAt = Math.max(COMPACT_AT_MIN, 2 * line.entries.length);
}
