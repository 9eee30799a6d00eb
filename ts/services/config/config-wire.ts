import type { Pid } from "../../base/pid.ts";
import type { ErrorRecord } from "../errors/json.ts";
import type { FoundationConfig } from "./config-types.ts";

/** The name that the authority of a node's configuration is found under. */
export const CONFIG_AUTHORITY_NAME = "$foundation.config";

/** What other isolates ask the authority. */
export type ConfigRequest =
  | { readonly op: "follow"; readonly follower: Pid }
  | { readonly op: "update"; readonly path: readonly string[]; readonly value: unknown }
  | { readonly op: "reset"; readonly to: "defaults" | "initial" };

/** What became of a request, and the configuration after it. */
export interface ConfigReceipt {
  readonly config: FoundationConfig;
  /** Further paths that can be changed. */
  readonly updatable: readonly (readonly string[])[];
  readonly error: ErrorRecord | undefined;
}
