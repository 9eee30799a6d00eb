import type { Pid } from "../base/pid.ts";
import type { ChildOptions, RestartType } from "./child-spec.ts";
import type { IntensityOptions } from "./restart-intensity.ts";
import type { StartOptions } from "./startable.ts";

/** Who is restarted with a child that ended: nobody, all, or those that were started after it. */
export type Strategy = "oneForOne" | "oneForAll" | "restForOne";

/** How long to wait before a child is started again. Defaults: {@link BACKOFF_DEFAULTS}. */
export interface BackoffOptions {
  /** Before the first restart within the intensity's window. Unit: ms. */
  readonly firstMs?: number;
  /** Longest wait, 2^31 - 1 at most. Unit: ms. */
  readonly maxMs?: number;
  /** By how much each further wait is longer. Unit: times. */
  readonly factor?: number;
}

/** How long to wait where there is to be any back-off. */
export const BACKOFF_DEFAULTS: Required<BackoffOptions> = Object.freeze({
  firstMs: 100, // long enough for a port or a file to be free again
  maxMs: 10_000, // as the node's dials (docs/membership.md)
  factor: 2, // doubles, as nearly every protocol does
});

/** Whom a supervisor keeps, and how. Defaults: {@link SUPERVISOR_DEFAULTS}. */
export interface SupervisionOptions {
  /** The children, in the order of their start. */
  readonly children?: readonly ChildOptions[];
  /** Who is restarted with a child that ended. */
  readonly strategy?: Strategy;
  /** How often children may be restarted. Default: 3 times in 5 s. */
  readonly intensity?: IntensityOptions;
  /** How long to wait before a restart. Default: not at all, as OTP. */
  readonly backoff?: BackoffOptions;
}

/** How a supervisor is started, and how it works. */
export interface SupervisorOptions
  extends SupervisionOptions,
    Omit<StartOptions, "args" | "trapExit"> {}

/** How a supervisor works unless its options say otherwise. */
export const SUPERVISOR_DEFAULTS = Object.freeze({
  strategy: "oneForOne", // as Elixir's examples: children that do not need each other
});

/** How a supervisor of children that come and go works. */
export interface DynamicSupervisionOptions {
  /** How often children may be restarted. Default: 3 times in 5 s. */
  readonly intensity?: IntensityOptions;
  /** How long to wait before a restart. Default: not at all, as OTP. */
  readonly backoff?: BackoffOptions;
  /** Children that may live at a time. Unit: children. Default: no limit. */
  readonly childrenMax?: number;
}

/** How a supervisor of children that come and go is started, and how it works. */
export interface DynamicSupervisorOptions
  extends DynamicSupervisionOptions,
    Omit<StartOptions, "args" | "trapExit"> {}

/** A child of a supervisor at one moment. */
export interface ChildInfo {
  readonly id: string;
  /** Undefined where it is not running. */
  readonly pid: Pid | undefined;
  readonly state: "running" | "restarting" | "stopped";
  readonly restart: RestartType;
  readonly isSupervisor: boolean;
  /** Starts after the first one. */
  readonly restarts: number;
}

/** How many children a supervisor has. */
export interface ChildCounts {
  readonly specs: number;
  readonly running: number;
  readonly supervisors: number;
  readonly workers: number;
}
