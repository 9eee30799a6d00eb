import type { Pid } from "../../base/pid.ts";
import type { RegistryEntry } from "./registry-types.ts";

/** Entries by namespace and name, and by process. */
export class Names {
  readonly #namespaces = new Map<string, Map<string, RegistryEntry>>();
  readonly #byPid = new Map<string, Set<RegistryEntry>>();
  #size = 0;

  /** Names over all namespaces. */
  get size(): number {
    return this.#size;
  }

  /** Namespaces that have a name. */
  namespaces(): string[] {
    return [...this.#namespaces.keys()];
  }

  get(namespace: string, name: string): RegistryEntry | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** The entries of a namespace, in the order of their registration. */
  of(namespace: string): RegistryEntry[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])];
  }

  /** The entries of a process. */
  ofPid(pid: Pid): RegistryEntry[] {
    return [...(this.#byPid.get(pid.toString()) ?? [])];
  }

  /** Every entry. */
  all(): RegistryEntry[] {
    return [...this.#namespaces.values()].flatMap((names) => [...names.values()]);
  }

  /** Puts an entry in its place; answers with the one that was there. */
  put(entry: RegistryEntry): RegistryEntry | undefined {
    const { namespace, name, pid } = entry;
    const names = this.#namespaces.get(namespace) ?? new Map<string, RegistryEntry>();
    this.#namespaces.set(namespace, names);
    const before = names.get(name);
    if (before === undefined) this.#size += 1;
    else this.#forget(before);
    names.set(name, entry);
    const key = pid.toString();
    const ofPid = this.#byPid.get(key) ?? new Set();
    this.#byPid.set(key, ofPid.add(entry));
    return before;
  }

  /** Takes an entry away; undefined where there is none. */
  drop(namespace: string, name: string): RegistryEntry | undefined {
    const names = this.#namespaces.get(namespace);
    const entry = names?.get(name);
    if (names === undefined || entry === undefined) return undefined;
    names.delete(name);
    if (names.size === 0) this.#namespaces.delete(namespace);
    this.#size -= 1;
    this.#forget(entry);
    return entry;
  }

  #forget(entry: RegistryEntry): void {
    const key = entry.pid.toString();
    const ofPid = this.#byPid.get(key);
    ofPid?.delete(entry);
    if (ofPid?.size === 0) this.#byPid.delete(key);
  }
}
