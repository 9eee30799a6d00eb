import { FoundationError } from "../../base/errors.ts";
import { checkCount, checkWord } from "../../base/option-checks.ts";
import { heavy } from "../heavy.ts";
import { isStartable, type Startable } from "../startable.ts";
import {
  CHOICE_FAILURES,
  type ChoiceFailure,
  type ChooseWorker,
  type DispatchRule,
  ECOSYSTEM_COORDINATOR_DEFAULTS,
  type EcosystemCoordinator,
  type EcosystemCoordinatorOptions,
} from "./coordinator-types.ts";
import type { PoolRules } from "./work-pool.ts";

/** Who decides where work goes, checked and with defaults. */
export interface CoordinatorPlan extends PoolRules {
  readonly kind: EcosystemCoordinator["kind"];
  readonly choose: ChooseWorker | undefined;
  /** What the process that decides is started from. */
  readonly start: Startable | undefined;
  readonly args: readonly unknown[];
  /** Unit: ms. */
  readonly timeoutMs: number;
  readonly onError: ChoiceFailure;
}

/** Names of the options. */
export const COORDINATOR_KEYS: readonly string[] = [
  ...Object.keys(ECOSYSTEM_COORDINATOR_DEFAULTS),
  "start",
  "module",
  "args",
];

const RULES: readonly DispatchRule[] = ["leastLoaded", "roundRobin"];

/**
 * Checks the option `coordinator`.
 *
 * @throws FoundationError `invalid_options`
 */
export function coordinatorPlan(options: EcosystemCoordinatorOptions): CoordinatorPlan {
  const { dispatch, args = [], ...rest } = { ...ECOSYSTEM_COORDINATOR_DEFAULTS, ...options };
  const choose = typeof dispatch === "function" ? dispatch : undefined;
  const rule = choose === undefined ? dispatch : ECOSYSTEM_COORDINATOR_DEFAULTS.dispatch;
  checkWord("coordinator.dispatch", rule as DispatchRule, RULES);
  checkWord("coordinator.onError", rest.onError as ChoiceFailure, CHOICE_FAILURES);
  if (!(rest.timeoutMs > 0)) refuse("coordinator.timeoutMs must be above 0");
  const start = startOf(options);
  if (start !== undefined && choose !== undefined) {
    refuse("`coordinator` has a process (`start`, `module`) or a function (`dispatch`), not both");
  }
  if (start === undefined) checkNoProcess(options);
  if (start === undefined && choose === undefined && options.onError !== undefined) {
    refuse("`coordinator.onError` is of a function or a process: a rule does not fail");
  }
  return Object.freeze({
    kind: start !== undefined ? "process" : choose !== undefined ? "function" : "rule",
    rule: rule as DispatchRule,
    choose,
    start,
    args,
    timeoutMs: rest.timeoutMs,
    onError: rest.onError as ChoiceFailure,
    queueMax: checkCount("coordinator.queueMax", rest.queueMax),
    inFlightMax: checkCount("coordinator.inFlightMax", rest.inFlightMax),
    attemptsMax: checkCount("coordinator.attemptsMax", rest.attemptsMax),
  });
}

function startOf(options: EcosystemCoordinatorOptions): Startable | undefined {
  const { start, module } = options;
  if (start !== undefined && module !== undefined) {
    refuse("`coordinator` has either `start` or `module`");
  }
  if (module !== undefined) {
    return heavy({ module, export: options.export ?? ECOSYSTEM_COORDINATOR_DEFAULTS.export });
  }
  if (options.export !== undefined) refuse("`coordinator.export` is of a `module`");
  if (start !== undefined && !isStartable(start)) {
    refuse("`coordinator.start` is no server, handler, body or blueprint");
  }
  return start;
}

function checkNoProcess({ args, timeoutMs }: EcosystemCoordinatorOptions): void {
  if (args !== undefined || timeoutMs !== undefined) {
    refuse("`coordinator.args` and `timeoutMs` are of a process (`start`, `module`)");
  }
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
