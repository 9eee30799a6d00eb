import { FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import { isThenable } from "../../base/thenable.ts";
import { type From, NO_REPLY } from "../envelope.ts";
import { Mailbox } from "../mailbox.ts";
import type { Choice, Chooser } from "./chooser.ts";
import type { DispatchRule, FreeWorker } from "./coordinator-types.ts";
import type { EcosystemCounts, EcosystemQueue, EcosystemWorkerInfo } from "./ecosystem-types.ts";
import { QueueDelays } from "./queue-delays.ts";
import type { WorkDone } from "./work-calls.ts";
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
  /** It is to be started anew. */
  isRecycling: boolean;
  done: number;
  /** Done since its start. */
  pieces: number;
  restarts: number;
  recycles: number;
}

/** How a pool hands work out. */
export interface PoolRules {
  readonly rule: DispatchRule;
  /** Unit: messages. */
  readonly queueMax: number;
  /** Unit: messages. */
  readonly inFlightMax: number;
  /** Unit: attempts. */
  readonly attemptsMax: number;
}

/** What the pool needs of its surroundings. */
export interface PoolWays {
  /** Asks a worker; resolves when it has done its work. */
  readonly call: (worker: Pid, work: Pick<Work, "how" | "message">) => Promise<WorkDone>;
  /** A worker has done so many pieces since its start, and its isolate takes so much. */
  readonly onDone?: (id: string, pieces: number, usedBytes: number | undefined) => void;
  readonly nowMs: () => number;
  /** Asked who gets a piece of work, before the rule is. */
  readonly chooser?: Chooser;
}

/** A worker, and where it stands among the others. */
interface Chosen {
  readonly member: Member;
  readonly index: number;
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
  readonly #options: PoolRules;
  readonly #ways: PoolWays;
  readonly #members: Member[] = [];
  readonly #queue = new Mailbox();
  /** Taken back from workers that ended: before all that waits. At most what was under way. */
  readonly #again = new Mailbox();
  readonly #idleWaiters = new Set<() => void>();
  #onRoom: (() => void) | undefined;
  /** The piece of work that the chooser is asked about, or lets wait. */
  #held: Job | undefined;
  #isAsking = false;
  /** Something has happened while it was being asked. */
  #isMissed = false;
  #isClosed = false;
  #cursor = 0;

  constructor(options: PoolRules, ways: PoolWays) {
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
    return this.#queue.size + this.#again.size + (this.#held === undefined ? 0 : 1);
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
    if (this.#isAsking) this.#isMissed = true;
    while (this.#waiting > 0 && !this.#isAsking) {
      const byRule = this.#byRule();
      if (byRule === undefined) return;
      const { chooser } = this.#ways;
      if (chooser === undefined) this.#hand(byRule);
      else if (!this.#ask(chooser)) return;
    }
  }

  /** The next piece of work leaves the queue. */
  #hand({ member, index }: Chosen): void {
    this.#cursor = (index + 1) % this.#members.length;
    const job = this.#held ?? this.#take();
    this.#held = undefined;
    this.#give(member, job);
  }

  #take(): Job {
    const job = (this.#again.size > 0 ? this.#again : this.#queue).shift() as Job;
    if (this.#queue.size < this.#options.queueMax) {
      const onRoom = this.#onRoom;
      this.#onRoom = undefined;
      onRoom?.();
    }
    return job;
  }

  /** Has the chooser say who gets the next piece; false: that is not known yet. */
  #ask(chooser: Chooser): boolean {
    this.#held ??= this.#take();
    const { how, message, attempts, acceptedMs } = this.#held;
    const waitedMs = this.#ways.nowMs() - acceptedMs;
    const free = this.#members.filter((member) => this.#isFree(member));
    const workers = free.map(({ id, pid, inFlight, done }): FreeWorker => {
      return { id, pid: pid as Pid, inFlight: inFlight.size, done };
    });
    const isWorking = this.#members.some(({ inFlight }) => inFlight.size > 0);
    const choice = chooser.choose({ kind: how, message, attempts, waitedMs }, workers, isWorking);
    if (!isThenable(choice)) return this.#onChoice(choice as Choice);
    this.#isAsking = true;
    this.#isMissed = false;
    void (choice as Promise<Choice>).then((chosen) => {
      this.#isAsking = false;
      if (this.#onChoice(chosen) || this.#isMissed) this.#next();
    });
    return false;
  }

  /** False: it waits until other work is over. */
  #onChoice(choice: Choice): boolean {
    if (choice === "wait") return false;
    const index = choice === "failed" ? -1 : this.#members.findIndex(({ id }) => id === choice.id);
    const member = this.#members[index];
    // One that is not free any more is asked for again.
    if (member !== undefined && this.#isFree(member)) this.#hand({ member, index });
    const byRule = choice === "failed" ? this.#byRule() : undefined;
    if (byRule !== undefined) this.#hand(byRule);
    return true;
  }

  #isFree({ pid, isDraining, isRecycling, inFlight }: Member): boolean {
    const isTaking = pid !== undefined && !isDraining && !isRecycling;
    return isTaking && inFlight.size < this.#options.inFlightMax;
  }

  /** Equally loaded ones in turn. */
  #byRule(): Chosen | undefined {
    const members = this.#members;
    let best: Chosen | undefined;
    for (let step = 0; step < members.length; step++) {
      const index = (this.#cursor + step) % members.length;
      const member = members[index] as Member;
      if (!this.#isFree(member)) continue;
      const { inFlight } = member;
      if (best === undefined || inFlight.size < best.member.inFlight.size) best = { member, index };
      if (this.#options.rule === "roundRobin") break;
    }
    return best;
  }

  #give(member: Member, job: Job): void {
    const pid = member.pid as Pid;
    member.inFlight.add(job);
    if (job.attempts === 0) this.delays.record(this.#ways.nowMs() - job.acceptedMs);
    job.attempts++;
    const { how, message } = job;
    this.#ways.call(pid, { how, message }).then(
      (done) => this.#onDone(member, job, done),
      (error: unknown) => this.#onFailed(member, pid, job, error),
    );
  }

  #onDone(member: Member, job: Job, { value, usedBytes }: WorkDone): void {
    member.inFlight.delete(job);
    member.done++;
    member.pieces++;
    this.counts.completed++;
    job.from?.reply(value);
    this.#ways.onDone?.(member.id, member.pieces, usedBytes);
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
      this.#members.push(newMember(id, pid));
    } else {
      member.pid = pid;
      member.pieces = 0;
      if (member.isRecycling) member.recycles++;
      else member.restarts++;
      member.isRecycling = false;
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
    const held = this.#held === undefined ? [] : [this.#held];
    const next = [...this.#again.waiting(), ...this.#queue.waiting().slice(0, 1)] as Job[];
    const oldest = [...held, ...next];
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
    return this.members.map((member) => {
      const { id, pid, isDraining, isRecycling, inFlight, done, restarts, recycles } = member;
      const isUp = pid === undefined ? "down" : "up";
      const state = isDraining ? "draining" : isRecycling ? "recycling" : isUp;
      return { id, pid, state, inFlight: inFlight.size, done, restarts, recycles };
    });
  }
}

function newMember(id: string, pid: Pid): Member {
  const flags = { isDraining: false, isRecycling: false };
  const counts = { done: 0, pieces: 0, restarts: 0, recycles: 0 };
  return { id, pid, inFlight: new Set(), ...flags, ...counts };
}

function isGone(error: unknown): error is FoundationError {
  return error instanceof FoundationError && GONE.includes(error.code);
}
