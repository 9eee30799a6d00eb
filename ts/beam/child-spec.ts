import { FoundationError } from "../base/errors.ts";
import { DELAY_MS_MAX } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import type { Self } from "./process-types.ts";
import { isBlueprint, type Startable, type StartOptions } from "./startable.ts";

/** When a child is started again: always, after a failure, or never. */
export type RestartType = "permanent" | "transient" | "temporary";

/** How a supervisor starts, keeps and ends a child. Defaults: {@link CHILD_DEFAULTS}. */
export interface ChildOptions extends StartOptions {
  /** Names the child within its supervisor. */
  readonly id: string;
  /** What is started. Default: none; then `startWith` is needed. */
  readonly start?: Startable;
  /**
   * Starts the child in a way of its own, e.g. on another node, and answers with its pid. The
   * supervisor links itself to it. Default: none; then `start` is needed.
   */
  readonly startWith?: (supervisor: Self) => Pid | Promise<Pid>;
  /** When it is started again. */
  readonly restart?: RestartType;
  /**
   * What it gets to end after `shutdown` before it is killed; `"kill"`: nothing, `"infinity"`: as
   * long as it needs. Unit: ms, 2^31 - 1 at most. Default: 5,000; `"infinity"` for a supervisor.
   */
  readonly shutdown?: number | "kill" | "infinity";
}

/** How a child is kept unless its options say otherwise. */
export const CHILD_DEFAULTS = Object.freeze({
  restart: "permanent", // as OTP's child specs
  shutdownMs: 5_000, // as OTP's child specs of workers
});

/** A child as its supervisor knows it. */
export interface ChildSpec {
  readonly id: string;
  readonly start: Startable | undefined;
  readonly startWith: ((supervisor: Self) => Pid | Promise<Pid>) | undefined;
  readonly options: StartOptions;
  readonly restart: RestartType;
  readonly shutdownMs: number;
  readonly isSupervisor: boolean;
}

const RESTART_TYPES: readonly RestartType[] = ["permanent", "transient", "temporary"];
const KEYS: readonly string[] = [
  "id",
  "start",
  "startWith",
  "restart",
  "shutdown",
  "args",
  "name",
  "via",
  "mailbox",
  "trapExit",
  "label",
];

/**
 * A child's options, checked and with defaults.
 *
 * @throws FoundationError `invalid_options`
 */
export function childSpec(child: ChildOptions): ChildSpec {
  const { id, start, startWith, restart = CHILD_DEFAULTS.restart, shutdown, ...options } = child;
  if (typeof id !== "string" || id === "") refuse("a child needs an `id`");
  const unknown = Object.keys(child).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) refuse(`child '${id}': there is no option '${unknown}'`);
  if ((start === undefined) === (startWith === undefined)) {
    refuse(`child '${id}' needs one of \`start\` and \`startWith\``);
  }
  if (!RESTART_TYPES.includes(restart as RestartType)) {
    refuse(`child '${id}': restart must be one of ${RESTART_TYPES.join(", ")}`);
  }
  const isSupervisor = isBlueprint(start) && start.isSupervisor;
  return {
    id,
    start,
    startWith,
    options,
    restart: restart as RestartType,
    shutdownMs: shutdownMs(id, shutdown ?? (isSupervisor ? "infinity" : CHILD_DEFAULTS.shutdownMs)),
    isSupervisor,
  };
}

function shutdownMs(id: string, shutdown: number | "kill" | "infinity"): number {
  if (shutdown === "kill") return 0;
  if (shutdown === "infinity") return Number.POSITIVE_INFINITY;
  const isTime = typeof shutdown === "number" && shutdown > 0 && shutdown <= DELAY_MS_MAX;
  if (isTime) return shutdown;
  const text = `shutdown must be above 0 and at most ${DELAY_MS_MAX}, "kill" or "infinity"`;
  return refuse(`child '${id}': ${text}`);
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
