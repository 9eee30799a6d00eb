import type { Pid } from "../../base/pid.ts";
import type { LightStartable } from "../startable.ts";

/** Who is given the next piece of work: the one with the least under way, or each in its turn. */
export type DispatchRule = "leastLoaded" | "roundRobin";

/** A piece of work, for whoever decides who gets it. */
export interface OfferedWork {
  readonly kind: "send" | "cast" | "call";
  readonly message: unknown;
  /** Workers that ended with it already. Unit: attempts. */
  readonly attempts: number;
  /** For how long it has been waiting. Unit: ms. */
  readonly waitedMs: number;
}

/** A worker that could be given work now. */
export interface FreeWorker {
  readonly id: string;
  readonly pid: Pid;
  /** Work under way. Unit: messages. */
  readonly inFlight: number;
  /** Work done. Unit: messages. */
  readonly done: number;
}

/**
 * Names the worker that gets a piece of work, by its id; undefined: it waits until other work is
 * done. It is asked for one piece at a time, the oldest first.
 */
export type ChooseWorker = (
  work: OfferedWork,
  workers: readonly FreeWorker[],
) => string | undefined;

/** A call to the process that coordinates an ecosystem: it answers as {@link ChooseWorker}. */
export interface ChooseRequest {
  readonly kind: "CHOOSE";
  readonly work: OfferedWork;
  readonly workers: readonly FreeWorker[];
}

/** What happens where a choice fails: the rule chooses, or the ecosystem ends with the error. */
export const CHOICE_FAILURES = Object.freeze(["fallback", "end"] as const);

/** One of {@link CHOICE_FAILURES}. */
export type ChoiceFailure = (typeof CHOICE_FAILURES)[number];

/** How work is handed out. Defaults: {@link ECOSYSTEM_COORDINATOR_DEFAULTS}. */
export interface EcosystemCoordinatorOptions {
  /**
   * Who is given the next piece of work: by a rule, or by a function of one's own. A function runs
   * in the ecosystem's isolate for each piece of work, so it has to be short.
   */
  readonly dispatch?: DispatchRule | ChooseWorker;
  /**
   * A process of one's own that is asked instead, kept by the ecosystem's supervisor in front of
   * the workers: a server class, a handler, a body or a blueprint. Default: none.
   */
  readonly start?: LightStartable;
  /** The same as built JavaScript, in an isolate of its own. Default: none. */
  readonly module?: URL | string;
  /** Name of the export of `module`. */
  readonly export?: string;
  /** Arguments of that server's `init`. Default: none. */
  readonly args?: readonly unknown[];
  /** How long that process has to answer. Unit: ms. */
  readonly timeoutMs?: number;
  /**
   * What happens where a function throws, a process does not answer, or neither names a worker that
   * is free: the rule chooses, which is counted, or the ecosystem ends with the error.
   */
  readonly onError?: ChoiceFailure;
  /**
   * Work that may wait for a worker. Behind it as much again waits in the mailbox; then senders are
   * held back. Unit: messages.
   */
  readonly queueMax?: number;
  /** Work that a worker has at a time. Unit: messages. */
  readonly inFlightMax?: number;
  /** Workers that may fail at a piece of work before it is given up. Unit: attempts. */
  readonly attemptsMax?: number;
}

/** How work is handed out unless the options say otherwise. */
export const ECOSYSTEM_COORDINATOR_DEFAULTS = Object.freeze({
  dispatch: "leastLoaded", // a slow piece of work holds nobody up
  export: "default", // as `import` without braces
  timeoutMs: 1_000, // all work waits behind one question
  onError: "fallback", // work that was accepted is done, if not where it was wanted
  queueMax: 65_536, // as any mailbox
  inFlightMax: 1, // what waits here can be given to any worker, what waits there cannot
  attemptsMax: 3, // work that ends every worker ends fewer than the intensity bears
});

/** Who decides where work goes. */
export interface EcosystemCoordinator {
  readonly kind: "rule" | "function" | "process";
  /** Of a process; undefined while it is being started again. */
  readonly pid: Pid | undefined;
  /** Times that the function or the process was asked. */
  readonly asked: number;
  /** Times that it failed, and the rule chose. */
  readonly errors: number;
  /** Why, the last time. */
  readonly lastError: unknown;
}
