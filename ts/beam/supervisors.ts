import { checkKind } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import type { ChildOptions } from "./child-spec.ts";
import { DYNAMIC_SUPERVISION_KEYS, dynamicSupervisor } from "./dynamic-supervisor.ts";
import type { Destination, ProcessCallOptions } from "./process-types.ts";
import type { Processes } from "./processes.ts";
import { SUPERVISION_KEYS, supervisor } from "./supervisor.ts";
import { type Refused, refusal, type SupervisorCall } from "./supervisor-calls.ts";
import type {
  ChildCounts,
  ChildInfo,
  DynamicSupervisorOptions,
  SupervisorOptions,
} from "./supervisor-types.ts";

/** Starts supervisors and asks them things; but for `startChild`, those of any isolate. */
export class Supervisors {
  readonly #processes: Processes;

  constructor(processes: Processes) {
    this.#processes = processes;
  }

  /**
   * Starts a supervisor; resolves when all its children have started.
   *
   * @throws FoundationError `invalid_options`; `init_failed` where a child did not start: those
   *   before it are ended again
   */
  async start(options: SupervisorOptions): Promise<Pid> {
    const [supervision, process] = divided(options, SUPERVISION_KEYS);
    return this.#processes.start(supervisor(supervision), process);
  }

  /** Starts a supervisor whose children come and go. */
  async startDynamic(options: DynamicSupervisorOptions = {}): Promise<Pid> {
    const [supervision, process] = divided(options, DYNAMIC_SUPERVISION_KEYS);
    return this.#processes.start(dynamicSupervisor(supervision), process);
  }

  /**
   * Starts one more child of a supervisor in this isolate.
   *
   * @throws FoundationError `child_exists`, `too_many_children`, `init_failed`, `invalid_options`,
   *   and what `call` throws
   */
  async startChild(
    to: Destination,
    child: ChildOptions,
    options?: ProcessCallOptions,
  ): Promise<Pid> {
    return (await this.#ask(to, "startChild", child, options)) as Pid;
  }

  /**
   * Ends a child and does not restart it, nor where it waits for its back-off. Its spec stays,
   * unless it is temporary or its supervisor dynamic.
   *
   * @throws FoundationError `unknown_child`
   */
  async terminateChild(
    to: Destination,
    id: string | Pid,
    options?: ProcessCallOptions,
  ): Promise<void> {
    await this.#ask(to, "terminateChild", id, options);
  }

  /**
   * Starts a child that was terminated, or has ended for good.
   *
   * @throws FoundationError `unknown_child`, `child_exists` where it is running,
   *   `child_restarting` where it waits for its back-off, `init_failed`
   */
  async restartChild(to: Destination, id: string, options?: ProcessCallOptions): Promise<Pid> {
    return (await this.#ask(to, "restartChild", id, options)) as Pid;
  }

  /**
   * Forgets the spec of a child that was terminated, or has ended for good.
   *
   * @throws FoundationError `unknown_child`, `child_exists` where it is running,
   *   `child_restarting` where it waits for its back-off
   */
  async deleteChild(to: Destination, id: string, options?: ProcessCallOptions): Promise<void> {
    await this.#ask(to, "deleteChild", id, options);
  }

  /** The children, in the order of their start. */
  async whichChildren(
    to: Destination,
    options?: ProcessCallOptions,
  ): Promise<readonly ChildInfo[]> {
    return (await this.#ask(to, "whichChildren", undefined, options)) as ChildInfo[];
  }

  /** How many children there are. */
  async countChildren(to: Destination, options?: ProcessCallOptions): Promise<ChildCounts> {
    return (await this.#ask(to, "countChildren", undefined, options)) as ChildCounts;
  }

  /** Ends a supervisor and, in reverse order, its children; resolves when all are gone. */
  async stop(pid: Pid): Promise<void> {
    await this.#processes.stop(pid, "shutdown");
  }

  async #ask(
    to: Destination,
    what: SupervisorCall["supervisor"],
    argument: unknown,
    options: ProcessCallOptions = {},
  ): Promise<unknown> {
    const call: SupervisorCall = { supervisor: what, argument };
    // A child may take as long as it needs to start or to end; whoever cannot wait says so.
    const patient = { timeoutMs: Number.POSITIVE_INFINITY, ...options };
    const answer = (await this.#processes.call(to, call, patient)) as { value: unknown } | Refused;
    if ("refused" in answer) throw refusal(answer);
    return answer.value;
  }
}

/** Options of two things, apart: those of the keys, and the others. */
function divided<Options extends object, Key extends keyof Options>(
  options: Options,
  keys: readonly Key[],
): [Pick<Options, Key>, Omit<Options, Key>] {
  checkKind("options", typeof options === "object" && options !== null, "an object");
  const isOwn = ([key]: [string, unknown]): boolean => keys.includes(key as Key);
  const all = Object.entries(options);
  return [
    Object.fromEntries(all.filter(isOwn)) as Pick<Options, Key>,
    Object.fromEntries(all.filter((entry) => !isOwn(entry))) as Omit<Options, Key>,
  ];
}
