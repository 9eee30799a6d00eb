import { randomUUID } from "node:crypto";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";
import type { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Via } from "../../beam/process-types.ts";
import { errorFromRecord } from "../errors/json.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import { matches } from "./matching.ts";
import { type RegistryCore, TEST_PREFIX } from "./registry-core.ts";
import type {
  RegisterOptions,
  RegistryEntry,
  RegistryOp,
  RegistryStats,
} from "./registry-types.ts";
import type { RegistryReceipt, RegistryRequest } from "./registry-wire.ts";

/** How the processes of a namespace are ended. */
export interface CleanupOptions {
  /** What they get to end by themselves before they are killed. Unit: ms. Default: 100. */
  readonly graceMs?: number;
}

/** How the processes of a namespace are ended unless options say otherwise. */
export const CLEANUP_DEFAULTS = Object.freeze({
  graceMs: 100, // as Foundation 1.x
});

/** How many processes of a namespace ended, and how. */
export interface Cleanup {
  /** By themselves, after the exit signal `shutdown`. */
  readonly stopped: number;
  /** Killed, since they had not ended in time. */
  readonly killed: number;
}

/** What ends processes, and tells when they have. */
export interface ProcessEnder {
  exit(pid: Pid, reason: string): void;
  exitOf(pid: Pid): Promise<unknown>;
}

/** The authority of a node's registry, as another isolate reaches it. */
export interface RegistryAsker {
  ask(request: RegistryRequest): Promise<RegistryReceipt>;
}

/** What a process registry works with. */
export interface ProcessRegistryParts {
  readonly slot: ServiceSlot<RegistryCore>;
  readonly ender: ProcessEnder;
  /** The authority. Default: the core in the slot. */
  readonly authority?: RegistryAsker | undefined;
  /** Where time comes from. Default: the system. */
  readonly clock?: Clock;
}

/**
 * Names for processes, in namespaces of any name. The isolate that has started the node holds the
 * names; all others have a copy, so that reading is synchronous everywhere. `register` and
 * `unregister` are in the first only, `claim` and `release` anywhere.
 */
export class ProcessRegistry {
  readonly #slot: ServiceSlot<RegistryCore>;
  readonly #ender: ProcessEnder;
  readonly #authority: RegistryAsker | undefined;
  readonly #clock: Clock;

  constructor({ slot, ender, authority, clock = SYSTEM_CLOCK }: ProcessRegistryParts) {
    this.#slot = slot;
    this.#ender = ender;
    this.#authority = authority;
    this.#clock = clock;
  }

  /**
   * Gives a process a name; it loses it when it ends. The same process again may bring new
   * metadata.
   *
   * @throws FoundationError `already_registered` (28301) with the process in `context.existing`,
   *   `invalid_argument`, `registry_full`, `noproc`, `service_unavailable`, `not_root_isolate`
   */
  register(namespace: string, name: string, pid: Pid, options?: RegisterOptions): void {
    this.#checkHere("claim");
    this.#slot.core.register(namespace, name, pid, options);
  }

  /**
   * The same in any isolate of the node; resolves when the name is given and can be read here.
   *
   * @throws FoundationError as `register`, and what `call` throws
   */
  async claim(namespace: string, name: string, pid: Pid, options?: RegisterOptions): Promise<void> {
    if (this.#authority === undefined) return this.register(namespace, name, pid, options);
    const { metadata } = options ?? {};
    await this.#ask({ op: "register", namespace, name, pid, metadata });
  }

  /** Resolves when this isolate has its copy of the names; at once where they are held. */
  async synced(): Promise<void> {
    if (this.#authority !== undefined) await this.#slot.core.reached(1);
  }

  /** As `unregister`, in any isolate of the node. */
  async release(namespace: string, name: string): Promise<boolean> {
    if (this.#authority === undefined) return this.unregister(namespace, name);
    return this.#ask({ op: "unregister", namespace, name });
  }

  /** The process that has a name; undefined where nobody alive has it. */
  lookup(namespace: string, name: string): Pid | undefined {
    return this.#slot.core.lookup(namespace, name)?.pid;
  }

  /** All that is known of a name; undefined where nobody alive has it. */
  entry(namespace: string, name: string): RegistryEntry | undefined {
    return this.#slot.core.lookup(namespace, name);
  }

  /**
   * Takes a name away; false where nobody had it.
   *
   * @throws FoundationError `service_unavailable`, `not_root_isolate`
   */
  unregister(namespace: string, name: string): boolean {
    this.#checkHere("release");
    return this.#slot.core.unregister(namespace, name);
  }

  /** The names of a namespace whose processes are alive, in the order of their registration. */
  listServices(namespace: string): string[] {
    return this.#slot.core.entries(namespace).map(({ name }) => name);
  }

  /** Names and processes of a namespace. */
  getAllServices(namespace: string): Map<string, Pid> {
    return new Map(this.#slot.core.entries(namespace).map(({ name, pid }) => [name, pid]));
  }

  /** Whether somebody alive has a name. */
  isRegistered(namespace: string, name: string): boolean {
    return this.lookup(namespace, name) !== undefined;
  }

  /** How many names of a namespace have live processes. */
  countServices(namespace: string): number {
    return this.#slot.core.entries(namespace).length;
  }

  /**
   * The entries of a namespace whose metadata have these values; a list among the metadata matches
   * each of its items. Or those that a function says yes to.
   */
  find(
    namespace: string,
    wanted: PlainObject | ((entry: RegistryEntry) => boolean),
  ): RegistryEntry[] {
    const isWanted =
      typeof wanted === "function"
        ? wanted
        : (entry: RegistryEntry) => matches(entry.metadata, wanted);
    return this.#slot.core.entries(namespace).filter(isWanted);
  }

  /** An option of `spawn` and `start` that registers the process before its first message. */
  via(namespace: string, name: string, options?: RegisterOptions): Via {
    return { register: (pid) => this.register(namespace, name, pid, options) };
  }

  /** A namespace that nobody else has: for a test. */
  testNamespace(): string {
    return `${TEST_PREFIX}${randomUUID()}`;
  }

  /**
   * Ends the processes of a namespace: by the exit signal `shutdown`, and those that are left after
   * `graceMs` by `kill`. Resolves when all have ended.
   *
   * @throws FoundationError `invalid_options`
   */
  async cleanupNamespace(namespace: string, options: CleanupOptions = {}): Promise<Cleanup> {
    const graceMs = checkCount("graceMs", options.graceMs ?? CLEANUP_DEFAULTS.graceMs, 0);
    const left = new Map(
      this.#slot.core.entries(namespace).map(({ pid }) => [pid.toString(), pid] as const),
    );
    const all = [...left.values()];
    const ends = all.map(async (pid) => {
      await this.#ender.exitOf(pid);
      left.delete(pid.toString());
    });
    const allEnded = Promise.all(ends);
    for (const pid of all) this.#ender.exit(pid, "shutdown");
    await this.#within(graceMs, allEnded);
    const late = [...left.values()];
    for (const pid of late) this.#ender.exit(pid, "kill");
    await allEnded;
    for (const name of this.listServices(namespace)) await this.release(namespace, name);
    return { stopped: all.length - late.length, killed: late.length };
  }

  /** Figures of the registry. */
  stats(): RegistryStats {
    return this.#slot.core.stats();
  }

  /** Calls `listener` after every change, until the returned function is called. */
  onChange(listener: (op: RegistryOp) => void): Unsubscribe {
    return this.#slot.core.onChange(listener);
  }

  async #ask(request: RegistryRequest): Promise<boolean> {
    const { had, sequence, error } = await (this.#authority as RegistryAsker).ask(request);
    if (error !== undefined) throw errorFromRecord(error);
    await this.#slot.core.reached(sequence);
    return had;
  }

  #checkHere(instead: string): void {
    if (this.#authority === undefined) return;
    const text = `names are given by the isolate that started the node: use \`${instead}\``;
    throw new FoundationError("not_root_isolate", text);
  }

  async #within(delayMs: number, done: Promise<unknown>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      void done.then(() => {
        cancel();
        resolve();
      });
    });
  }
}
