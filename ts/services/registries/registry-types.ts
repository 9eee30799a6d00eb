import type { Pid } from "../../base/pid.ts";
import type { PlainObject } from "../toolkit/nested.ts";

/** A process under a name of a namespace. */
export interface RegistryEntry {
  readonly namespace: string;
  readonly name: string;
  readonly pid: Pid;
  /** What is known of it; plain data. */
  readonly metadata: PlainObject;
  /** When it was registered. Unit: ms since 1970. */
  readonly registeredAt: number;
}

/** How a process is registered. */
export interface RegisterOptions {
  /** What is known of it: plain data of at most 16 KiB. Unit: none. Default: nothing. */
  readonly metadata?: PlainObject;
}

/** Limits of a registry. */
export interface RegistryOptions {
  /**
   * Most names over all namespaces, those of the node's own services included. Unit: names.
   * Default: 1,000,000.
   */
  readonly namesMax?: number;
}

/** Limits of a registry unless its options say otherwise. */
export const REGISTRY_DEFAULTS = Object.freeze({
  namesMax: 1_000_000, // some 300 MB of names; a loop that registers without end stops here
});

/** A change of a registry, as plain data: carried to the replicas of other isolates. */
export type RegistryOp =
  | { readonly kind: "put"; readonly entry: RegistryEntry }
  | { readonly kind: "drop"; readonly namespace: string; readonly name: string };

/** What a registry has to know of processes. */
export interface ProcessWatch {
  /** Whether a process of this isolate is alive. */
  isAlive(pid: Pid): boolean;
  /** Whether it is one of this isolate, so that `isAlive` can tell. */
  isLocal(pid: Pid): boolean;
  /** Calls back once when the process ends, wherever it is. */
  monitor(pid: Pid, onDown: () => void): () => void;
}

/** Figures of a registry. */
export interface RegistryStats {
  readonly totalServices: number;
  /** In the namespace `production`. */
  readonly productionServices: number;
  /** Namespaces made by `testNamespace`. */
  readonly testNamespaces: number;
  readonly namespaces: number;
  /** Names that were given since the start. */
  readonly registrations: number;
  /** Names that were refused since another live process had them. */
  readonly conflicts: number;
  /** Names that were taken away because their process ended. */
  readonly cleanups: number;
  /** Isolates that hold a copy, this one included. */
  readonly replicas: number;
  /** Since the registry started. Unit: ms. */
  readonly uptimeMs: number;
}
