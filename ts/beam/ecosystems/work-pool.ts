import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import { type From, NO_REPLY } from "../envelope.ts";
import { Mailbox } from "../mailbox.ts";
import type {
  EcosystemCoordinatorOptions,
  EcosystemCounts,
  EcosystemQueue,
  EcosystemWorkerInfo,
} from "./ecosystem-types.ts";
import { QueueDelays } from "./queue-delays.ts";
import type { Work, WorkKind } from "./worker-body.ts";

/** A piece of work that was accepted. */
interface Job {
  readonly how: WorkKind;
  readonly message: unknown;
  readonly from: From | undefined;
  readonly acceptedMs: number;
  attempts: number;
}

/** A worker as the pool knows it. */
export interface Member {
  readonly id: string;
  readonly inFlight: Set<Job>;
  pid: Pid | undefined;
  isDraining: boolean;
  done: number;
  restarts: number;
}

/** What the pool needs of its surroundings. */
export interface PoolWays {
  /** Asks a worker; resolves when it has done its work. */
  readonly call: (worker: Pid, work: Work) => Promise<unknown>;
  readonly nowMs: () => number;
}

/** Errors that say that the worker is gone, not that the work is wrong. */
const GONE: readonly unknown[] = ["process_exited", "noproc", "noconnection", "node_left"];

/** The work of an ecosystem: what waits, who has what, and who is next. */
export class WorkPool {
  readonly counts: EcosystemCounts = {
    accepted: 0,
    completed: 0,
    redistributed: 0,
    failed: 0,
    givenUp: 0,
    refused: 0,
  };
  readonly delays = new QueueDelays();
  readonly #options: Required<EcosystemCoordinatorOptions>;
  readonly #ways: PoolWays;
  readonly #members: Member[] = [];
  readonly #queue = new Mailbox();
  /** Taken back from workers that ended: before all that waits. At most what was under way. */
  readonly #again = new Mailbox();
  readonly #idleWaiters = new Set<() => void>();
  #onRoom: (() => void) | undefined;
  #isClosed = false;
  #cursor = 0;

  constructor(options: Required<EcosystemCoordinatorOptions>, ways: PoolWays) {
    this.#options = options;
    this.#ways = ways;
  }

  /** The workers, in the order in which they were added. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** The worker of an id. */
  member(id: string): Member | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /** Work that waits or is under way. */
  get outstanding(): number {
    const underWay = this.#members.reduce((sum, { inFlight }) => sum + inFlight.size, 0);
    const atDoor = this.#onRoom === undefined ? 0 : 1;
    return atDoor + this.#waiting + underWay;
  }

  /** Whether all work that will ever be taken is over. */
  get isOver(): boolean {
    return this.#isClosed && this.outstanding === 0;
  }

  get #waiting(): number {
    return this.#queue.size + this.#again.size;
  }

  // Work.

  /** Takes work; a promise: later, when the queue has room. The pool answers whoever waits. */
  accept(how: WorkKind, message: unknown, from: From | undefined): unknown {
    if (this.#isClosed) return this.#refuse(from);
    this.counts.accepted++;
    const acceptedMs = this.#ways.nowMs();
    const job: Job = { how, message, from, acceptedMs, attempts: 0 };
    if (this.#queue.size < this.#options.queueMax) return this.#enqueue(job);
    return new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    }).then(() => this.#enqueue(job));
  }

  #enqueue(job: Job): typeof NO_REPLY {
    this.#queue.push(job);
    this.#pump();
    return NO_REPLY;
  }

  #refuse(from: From | undefined): typeof NO_REPLY {
    this.counts.refused++;
    from?.fail(new FoundationError("ecosystem_closing", "the ecosystem is shutting down"));
    return NO_REPLY;
  }

  /** Hands out what waits for as long as somebody can take it. */
  #pump(): void {
    while (this.#waiting > 0) {
      const member = this.#choose();
      if (member === undefined) return;
      const job = (this.#again.size > 0 ? this.#again : this.#queue).shift() as Job;
      this.#give(member, job);
      if (this.#queue.size >= this.#options.queueMax) continue;
      const onRoom = this.#onRoom;
      this.#onRoom = undefined;
      onRoom?.();
    }
  }

  /** Equally loaded ones in turn. */
  #choose(): Member | undefined {
    const members = this.#members;
    const { dispatch, inFlightMax } = this.#options;
    let best: { member: Member; index: number } | undefined;
    for (let step = 0; step < members.length; step++) {
      const index = (this.#cursor + step) % members.length;
      const member = members[index] as Member;
      const { pid, isDraining, inFlight } = member;
      if (pid === undefined || isDraining || inFlight.size >= inFlightMax) continue;
      if (best === undefined || inFlight.size < best.member.inFlight.size) best = { member, index };
      if (dispatch === "roundRobin") break;
    }
    if (best === undefined) return undefined;
    this.#cursor = (best.index + 1) % members.length;
    return best.member;
  }

  #give(member: Member, job: Job): void {
    const pid = member.pid as Pid;
    member.inFlight.add(job);
    if (job.attempts === 0) this.delays.record(this.#ways.nowMs() - job.acceptedMs);
    job.attempts++;
    const { how, message } = job;
    this.#ways.call(pid, { kind: "ecosystem.work", how, message }).then(
      (value) => this.#onDone(member, job, value),
      (error: unknown) => this.#onFailed(member, pid, job, error),
    );
  }

  #onDone(member: Member, job: Job, value: unknown): void {
    member.inFlight.delete(job);
    member.done++;
    this.counts.completed++;
    job.from?.reply(value);
    this.#next();
  }

  #onFailed(member: Member, pid: Pid, job: Job, error: unknown): void {
    member.inFlight.delete(job);
    if (!isGone(error)) {
      this.counts.failed++;
      job.from?.fail(error);
      return this.#next();
    }
    if (member.pid?.equals(pid) === true) member.pid = undefined;
    // Who was ended with others, or in order, has not failed at its work.
    if (error.context.reason === "shutdown") job.attempts--;
    if (job.attempts < this.#options.attemptsMax) {
      this.counts.redistributed++;
      this.#again.push(job);
    } else this.#giveUp(job, error);
    this.#next();
  }

  #giveUp({ from, attempts }: Job, cause: unknown): void {
    this.counts.givenUp++;
    const text = `${attempts} workers ended with this work; it is not given to another one`;
    from?.fail(new FoundationError("work_given_up", text, { context: { attempts }, cause }));
  }

  #next(): void {
    this.#pump();
    for (const waiter of [...this.#idleWaiters]) waiter();
  }

  /** Takes no more work. */
  close(): void {
    this.#isClosed = true;
    this.#next();
  }

  /** Resolves when a condition holds that can change with every piece of work that is over. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#idleWaiters.delete(look);
        resolve();
      };
      this.#idleWaiters.add(look);
    });
  }

  // Workers.

  /** A worker has started, for the first time or again. */
  up(id: string, pid: Pid): void {
    const member = this.member(id);
    if (member === undefined) {
      const inFlight = new Set<Job>();
      const isDraining = false;
      this.#members.push({ id, pid, inFlight, isDraining, done: 0, restarts: 0 });
    } else {
      member.pid = pid;
      member.restarts++;
    }
    this.#pump();
  }

  /** A worker has ended; what it had comes back as its calls fail. */
  down(id: string, pid: Pid): void {
    const member = this.member(id);
    if (member?.pid?.equals(pid) === true) member.pid = undefined;
  }

  /** A worker is no more. */
  forget(id: string): void {
    const index = this.#members.findIndex((member) => member.id === id);
    if (index >= 0) this.#members.splice(index, 1);
    this.#cursor = 0;
  }

  // What is asked about it.

  /** What waits. */
  queue(): EcosystemQueue {
    const oldest = [...this.#again.waiting(), ...this.#queue.waiting().slice(0, 1)] as Job[];
    const sinceMs = Math.min(...oldest.map(({ acceptedMs }) => acceptedMs));
    return {
      waiting: this.#waiting,
      waitingMax: this.#options.queueMax,
      oldestMs: oldest.length === 0 ? 0 : this.#ways.nowMs() - sinceMs,
      delay: this.delays.recent(),
    };
  }

  /** The workers at this moment. */
  workers(): EcosystemWorkerInfo[] {
    return this.members.map(({ id, pid, isDraining, inFlight, done, restarts }) => {
      const isUp = pid === undefined ? "down" : "up";
      const state = isDraining ? "draining" : isUp;
      return { id, pid, state, inFlight: inFlight.size, done, restarts };
    });
  }
}

function isGone(error: unknown): error is FoundationError {
  return error instanceof FoundationError && GONE.includes(error.code);
}
