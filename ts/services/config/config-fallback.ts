import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { attempt, FoundationError } from "../../base/errors.ts";
import type { Config } from "./config.ts";

const TTL_MS = 300_000;
const ENTRIES_MAX = 1_000;

interface Cached {
  readonly value: unknown;
  readonly atMs: number;
}

interface Pending {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly atMs: number;
}

/** Figures of the cache. */
export interface FallbackStats {
  readonly totalEntries: number;
  readonly configCacheEntries: number;
  readonly pendingUpdateEntries: number;
  /** Oldest entries that made room for new ones. */
  readonly evicted: number;
}

/**
 * Reads and changes settings although the configuration service may be down: the last known value
 * is good for five minutes, a change is kept until it can be made. Each holds 1,000 paths at most.
 */
export class ConfigFallback {
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #cache = new Map<string, Cached>();
  readonly #pending = new Map<string, Pending>();
  #evicted = 0;

  constructor(config: Config, clock: Clock = SYSTEM_CLOCK) {
    this.#config = config;
    this.#clock = clock;
  }

  /**
   * What lies at a path, or lay there within the last five minutes.
   *
   * @throws FoundationError `config_unavailable` where nothing of it is known, or it is too old
   */
  getWithFallback(path: readonly string[]): unknown {
    const key = JSON.stringify(path);
    const read = attempt((): unknown => this.#config.get(path));
    if (read.ok) {
      this.#put(this.#cache, key, { value: read.value, atMs: this.#clock.now() });
      return read.value;
    }
    const cached = this.#cache.get(key);
    if (cached !== undefined && this.#isFresh(cached.atMs)) return cached.value;
    const text =
      cached === undefined
        ? `no value of ${path.join(".")} is cached`
        : `the cached value of ${path.join(".")} is more than ${TTL_MS} ms old`;
    throw new FoundationError("config_unavailable", text, { cause: read.error, context: { path } });
  }

  /**
   * Changes a setting; where that fails, the change is kept for `retryPendingUpdates`.
   *
   * @throws FoundationError what `Config.update` throws
   */
  updateWithFallback(path: readonly string[], value: unknown): void {
    const key = JSON.stringify(path);
    const made = attempt(() => this.#config.update(path, value));
    if (made.ok) {
      this.#pending.delete(key);
      return;
    }
    this.#put(this.#pending, key, { path, value, atMs: this.#clock.now() });
    throw made.error;
  }

  /** Tries to make the changes that are pending; tells how many were made and how many stay. */
  retryPendingUpdates(): { readonly applied: number; readonly left: number } {
    let applied = 0;
    for (const [key, { path, value }] of this.#pending) {
      if (!attempt(() => this.#config.update(path, value)).ok) continue;
      this.#pending.delete(key);
      applied += 1;
    }
    return { applied, left: this.#pending.size };
  }

  /** Drops what is more than five minutes old; answers with how much that was. */
  cleanupExpiredCache(): number {
    let dropped = 0;
    for (const entries of [this.#cache, this.#pending]) {
      for (const [key, { atMs }] of entries) {
        if (this.#isFresh(atMs)) continue;
        entries.delete(key);
        dropped += 1;
      }
    }
    return dropped;
  }

  /** Drops all values and all pending changes. */
  cleanup(): void {
    this.#cache.clear();
    this.#pending.clear();
  }

  /** Figures of the cache. */
  getCacheStats(): FallbackStats {
    return {
      totalEntries: this.#cache.size + this.#pending.size,
      configCacheEntries: this.#cache.size,
      pendingUpdateEntries: this.#pending.size,
      evicted: this.#evicted,
    };
  }

  #isFresh(atMs: number): boolean {
    return this.#clock.now() - atMs <= TTL_MS;
  }

  #put<T>(entries: Map<string, T>, key: string, entry: T): void {
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= ENTRIES_MAX) return;
      entries.delete(oldest);
      this.#evicted += 1;
    }
  }
}
