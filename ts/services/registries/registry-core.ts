import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkKeys } from "../../base/option-checks.ts";
import { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceCore } from "../service-slot.ts";
import { isPlainObject } from "../toolkit/nested.ts";
import { deepSize } from "../toolkit/sizes.ts";
import { Names } from "./names.ts";
import {
  type ProcessWatch,
  REGISTRY_DEFAULTS,
  type RegisterOptions,
  type RegistryEntry,
  type RegistryOp,
  type RegistryOptions,
  type RegistryStats,
} from "./registry-types.ts";

const NAME_LENGTH_MAX = 255;
const METADATA_BYTES_MAX = 16 << 10;

/** Begins the namespaces that are made for tests. */
export const TEST_PREFIX = "test:";

/** Namespaces, names and the processes that have them; the authority of a node. */
export class RegistryCore implements ServiceCore {
  readonly #watch: ProcessWatch;
  readonly #clock: Clock;
  readonly #namesMax: number;
  readonly #names = new Names();
  readonly #monitors = new Map<string, { readonly stop: () => void; count: number }>();
  #listeners = new Set<(op: RegistryOp) => void>();
  readonly #startMs: number;
  #registrations = 0;
  #conflicts = 0;
  #cleanups = 0;
  #reached = 0;
  #waiting: { readonly sequence: number; readonly resolve: () => void }[] = [];
  /** Copies in other isolates. */
  replicas = 0;

  /** @throws FoundationError `invalid_options` */
  constructor(watch: ProcessWatch, options: RegistryOptions = {}, clock: Clock = SYSTEM_CLOCK) {
    this.#watch = watch;
    this.#clock = clock;
    checkKeys("registries", options, Object.keys(REGISTRY_DEFAULTS));
    this.#namesMax = checkCount("namesMax", options.namesMax ?? REGISTRY_DEFAULTS.namesMax);
    this.#startMs = clock.now();
  }

  /** Takes over names and listeners of the core before: its process was restarted. */
  adopt(last: RegistryCore): void {
    // Before it closes: whoever waits for news goes on waiting.
    this.#waiting = last.#waiting;
    last.#waiting = [];
    last.close();
    for (const entry of last.all()) {
      if (this.#isAlive(entry.pid)) this.apply({ kind: "put", entry });
    }
    this.#listeners = last.#listeners;
  }

  /** Becomes a copy of a registry that has these entries and no others. */
  replaceAll(entries: readonly RegistryEntry[]): void {
    const kept = new Set(entries.map(keyOf));
    for (const entry of this.all()) {
      const { namespace, name } = entry;
      if (!kept.has(keyOf(entry))) this.apply({ kind: "drop", namespace, name });
    }
    for (const entry of entries) this.apply({ kind: "put", entry });
  }

  /**
   * Gives a process a name. The same process again may bring new metadata.
   *
   * @throws FoundationError `already_registered` where another live process has it,
   *   `invalid_argument`, `registry_full`, `noproc` where the process has ended
   */
  register(namespace: string, name: string, pid: Pid, options: RegisterOptions = {}): void {
    checkName("namespace", namespace);
    checkName("name", name);
    if (!(pid instanceof Pid)) {
      throw new FoundationError("invalid_argument", "what is registered is a pid");
    }
    const { metadata } = options;
    if (metadata !== undefined) checkMetadata(metadata);
    const present = this.lookup(namespace, name);
    if (present !== undefined && !present.pid.equals(pid)) this.#refuse(present);
    if (!this.#isAlive(pid)) throw new FoundationError("noproc", `${pid.toString()} has ended`);
    if (present !== undefined && metadata === undefined) return;
    if (present === undefined && this.#names.size >= this.#namesMax) {
      const text = `the registry holds ${this.#namesMax} names already`;
      throw new FoundationError("registry_full", text, { context: { namesMax: this.#namesMax } });
    }
    const registeredAt = present?.registeredAt ?? this.#clock.wallNow();
    this.#registrations += 1;
    const all = metadata ?? {};
    this.apply({ kind: "put", entry: { namespace, name, pid, metadata: all, registeredAt } });
  }

  /** Who has a name; undefined where nobody alive does. */
  lookup(namespace: string, name: string): RegistryEntry | undefined {
    const entry = this.#names.get(namespace, name);
    if (entry === undefined || this.#isAlive(entry.pid)) return entry;
    // It has ended, and the news of it is still under way.
    this.#cleanups += 1;
    this.apply({ kind: "drop", namespace, name });
    return undefined;
  }

  /** Takes a name away; false where nobody had it. */
  unregister(namespace: string, name: string): boolean {
    if (this.#names.get(namespace, name) === undefined) return false;
    this.apply({ kind: "drop", namespace, name });
    return true;
  }

  /** This copy shows all changes below a number. */
  reach(sequence: number): void {
    this.#reached = sequence;
    const there = this.#waiting.filter((waiter) => waiter.sequence <= sequence);
    this.#waiting = this.#waiting.filter((waiter) => waiter.sequence > sequence);
    for (const { resolve } of there) resolve();
  }

  /** Resolves when this copy shows all changes below a number. */
  async reached(sequence: number): Promise<void> {
    if (this.#reached >= sequence) return;
    await new Promise<void>((resolve) => this.#waiting.push({ sequence, resolve }));
  }

  /** All of a namespace that are alive, in the order of their registration. */
  entries(namespace: string): RegistryEntry[] {
    return this.#names.of(namespace).filter(({ pid }) => this.#isAlive(pid));
  }

  /** All of a namespace, also those whose end is not known of yet. */
  known(namespace: string): RegistryEntry[] {
    return this.#names.of(namespace);
  }

  /** Whether the process of an entry is alive, as far as this isolate knows. */
  isAlive({ pid }: RegistryEntry): boolean {
    return this.#isAlive(pid);
  }

  /** All there are. */
  all(): RegistryEntry[] {
    return this.#names.all();
  }

  /** Makes a change: one of this isolate, or one that another isolate tells of. */
  apply(op: RegistryOp): void {
    if (op.kind === "put") {
      const { entry } = op;
      const before = this.#names.put(entry);
      if (before === undefined || !before.pid.equals(entry.pid)) this.#monitor(entry.pid);
      if (before !== undefined && !before.pid.equals(entry.pid)) this.#unmonitor(before.pid);
    } else {
      const before = this.#names.drop(op.namespace, op.name);
      if (before === undefined) return;
      this.#unmonitor(before.pid);
    }
    for (const listener of [...this.#listeners]) listener(op);
  }

  /** Calls `listener` after every change, until the returned function is called. */
  onChange(listener: (op: RegistryOp) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Figures since the registry started. */
  stats(): RegistryStats {
    const namespaces = this.#names.namespaces();
    return {
      totalServices: this.#names.size,
      productionServices: this.#names.of("production").length,
      testNamespaces: namespaces.filter((name) => name.startsWith(TEST_PREFIX)).length,
      namespaces: namespaces.length,
      registrations: this.#registrations,
      conflicts: this.#conflicts,
      cleanups: this.#cleanups,
      replicas: 1 + this.replicas,
      uptimeMs: this.#clock.now() - this.#startMs,
    };
  }

  close(): void {
    for (const { stop } of this.#monitors.values()) stop();
    this.#monitors.clear();
    this.reach(Number.POSITIVE_INFINITY);
  }

  #isAlive(pid: Pid): boolean {
    return !this.#watch.isLocal(pid) || this.#watch.isAlive(pid);
  }

  #refuse({ namespace, name, pid }: RegistryEntry): never {
    this.#conflicts += 1;
    const text = `'${name}' in '${namespace}' is ${pid.toString()}`;
    throw new FoundationError("already_registered", text, {
      context: { namespace, name, existing: pid },
    });
  }

  #monitor(pid: Pid): void {
    const key = pid.toString();
    const known = this.#monitors.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const stop = this.#watch.monitor(pid, () => this.#ended(pid));
    this.#monitors.set(key, { stop, count: 1 });
  }

  #unmonitor(pid: Pid): void {
    const key = pid.toString();
    const known = this.#monitors.get(key);
    if (known === undefined) return;
    known.count -= 1;
    if (known.count > 0) return;
    this.#monitors.delete(key);
    known.stop();
  }

  #ended(pid: Pid): void {
    this.#monitors.delete(pid.toString());
    for (const { namespace, name } of this.#names.ofPid(pid)) {
      this.#cleanups += 1;
      this.apply({ kind: "drop", namespace, name });
    }
  }
}

function keyOf({ namespace, name, pid }: RegistryEntry): string {
  return JSON.stringify([namespace, name, pid.toString()]);
}

function checkName(what: string, name: string): void {
  if (typeof name === "string" && name.length > 0 && name.length <= NAME_LENGTH_MAX) return;
  const text = `a ${what} is a text of 1 to ${NAME_LENGTH_MAX} characters`;
  throw new FoundationError("invalid_argument", text);
}

function checkMetadata(metadata: unknown): void {
  if (isPlainObject(metadata) && deepSize(metadata) <= METADATA_BYTES_MAX) return;
  const text = `metadata are a plain object of at most ${METADATA_BYTES_MAX} bytes`;
  throw new FoundationError("invalid_argument", text);
}
