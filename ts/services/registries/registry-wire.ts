import type { Pid } from "../../base/pid.ts";
import type { ErrorRecord } from "../errors/json.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import type { RegistryEntry, RegistryOp } from "./registry-types.ts";

/** The name that the authority of a node's registry is found under. */
export const AUTHORITY_NAME = "$foundation.registry";

/** What other isolates ask the authority. */
export type RegistryRequest =
  | { readonly op: "follow"; readonly follower: Pid }
  | {
      readonly op: "register";
      readonly namespace: string;
      readonly name: string;
      readonly pid: Pid;
      readonly metadata: PlainObject | undefined;
    }
  | { readonly op: "unregister"; readonly namespace: string; readonly name: string };

/** What became of a request; a copy that has reached `sequence` shows it. */
export interface RegistryReceipt {
  readonly had: boolean;
  readonly sequence: number;
  /** What the request failed with. */
  readonly error: ErrorRecord | undefined;
}

/** All names of a moment; changes from `sequence` on follow. */
export interface RegistrySnapshot {
  readonly sequence: number;
  readonly entries: readonly RegistryEntry[];
}

/** Changes that the authority tells its followers of; the first of them is number `sequence`. */
export interface RegistryNews {
  readonly kind: "REGISTRY_NEWS";
  readonly sequence: number;
  readonly ops: readonly RegistryOp[];
}

/** Whether a message is news of the registry. */
export function isRegistryNews(message: unknown): message is RegistryNews {
  if (typeof message !== "object" || message === null) return false;
  return Reflect.get(message, "kind") === "REGISTRY_NEWS";
}
