import type { Clock } from "../../../base/clock.ts";
import { abortError } from "../../../base/deadline.ts";
import { FoundationError } from "../../../base/errors.ts";
import { thrownText } from "../../../base/thrown-text.ts";
import { type LineOptions, WaitingLine } from "../resilience/waiting-line.ts";
import { checkSizes, type PoolPlan, type PoolSizes } from "./pool-options.ts";

/** What a pool is doing. Unit of each number: workers, or callers for `waiting`. */
export interface PoolStatus {
  /** `ready`: a worker can be had at once; `overflow`: one more can be made; `full`: neither. */
  readonly state: "ready" | "overflow" | "full" | "stopped";
  /** Workers that are always there. */
  readonly size: number;
  readonly maxOverflow: number;
  /** Workers beyond `size` now. */
  readonly overflow: number;
  /** All workers now, those included that are being made. */
  readonly workers: number;
  /** Idle workers. */
  readonly available: number;
  /** Workers in somebody's hands. */
  readonly inUse: number;
  /** The same number, as Foundation 1.x calls it. */
  readonly monitors: number;
  /** Callers that wait for a worker. */
  readonly waiting: number;
  /** Workers that ended by themselves or could not be used any more, so far. */
  readonly lost: number;
}

/** A worker in somebody's hands; it has to be given back. */
export interface Lease<Worker> {
  readonly worker: Worker;
}

interface Entry<Worker> extends Lease<Worker> {
  isGone: boolean;
}

/** First and longest wait before a worker that could not be made is tried again. Unit: ms. */
const REMAKE_MS = { first: 100, most: 10_000 } as const;

/**
 * A pool of workers, each in the hands of one caller at a time. `size` of them are kept; while all
 * are in use, up to `maxOverflow` more are made, and ended when they come back and nobody waits.
 */
export class Pool<Worker, Args = undefined> {
  #plan: PoolPlan<Worker, Args>;
  readonly #clock: Clock;
  readonly #isKeeping: () => boolean;
  readonly #line: WaitingLine<Entry<Worker>>;
  readonly #inUse = new Set<Entry<Worker>>();
  /** Oldest first. */
  #idle: Entry<Worker>[] = [];
  /** Idle ones that are being looked at. */
  #checking = 0;
  #creating = 0;
  #lost = 0;
  #isStopped = false;
  #remakeMs: number = REMAKE_MS.first;
  #cancelRemake: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;

  /** `isKeeping`: whether workers are kept for the next caller; where not, each serves one. */
  constructor(plan: PoolPlan<Worker, Args>, clock: Clock, isKeeping: () => boolean = () => true) {
    this.#plan = plan;
    this.#clock = clock;
    this.#isKeeping = isKeeping;
    this.#line = new WaitingLine(clock, plan.waitingMax);
  }

  /**
   * Makes the workers that are always there.
   *
   * @throws FoundationError `worker_failed` where one cannot be made; none is left then
   */
  async start(): Promise<void> {
    if (!this.#isKeeping()) return;
    const made = await Promise.allSettled(
      Array.from({ length: this.#plan.size }, async () => this.#idle.push(await this.#create())),
    );
    const failure = made.find((each) => each.status === "rejected");
    if (failure === undefined) return;
    await this.stop(0);
    throw failure.reason;
  }

  /** What the pool is doing now. */
  get status(): PoolStatus {
    const { size, maxOverflow } = this.#plan;
    const { state, workers } = { state: this.#state(), workers: this.#total() };
    const [available, inUse] = [this.#idle.length, this.#inUse.size];
    return {
      ...{ state, size, maxOverflow, workers, overflow: Math.max(0, workers - size), available },
      ...{ inUse, monitors: inUse, waiting: this.#line.size, lost: this.#lost },
    };
  }

  /**
   * Takes a worker, or waits for one behind those who came before.
   *
   * @throws FoundationError `checkout_timeout`, `aborted`, `too_many_waiting`, `pool_stopped`,
   *   `worker_failed` where the worker that it waited for could not be made
   */
  async checkOut(options: LineOptions = {}): Promise<Lease<Worker>> {
    if (options.signal?.aborted === true) throw abortError(options.signal);
    if (this.#isStopped) throw stopped();
    if (!this.#isKeeping()) for (const entry of this.#idle.splice(0)) void this.#end(entry);
    const entry = this.#line.size === 0 ? this.#takeIdle() : undefined;
    if (entry !== undefined && this.#plan.module.validate === undefined) return this.#hold(entry);
    const { timeoutMs } = options;
    const late = (): FoundationError => checkoutTimeout(timeoutMs as number);
    const wait = this.#line.join(undefined, options, late);
    if (entry !== undefined) void this.#check(entry);
    else this.#grow();
    return this.#hold(await wait);
  }

  /** Gives a worker back; `isBroken`: it is ended and another takes its place. */
  checkIn(lease: Lease<Worker>, isBroken = false): void {
    const entry = lease as Entry<Worker>;
    if (!this.#inUse.delete(entry)) return;
    if (isBroken && !entry.isGone) this.#lost += 1;
    if (isBroken || entry.isGone || this.#isStopped || !this.#isKeeping()) {
      void this.#end(entry);
      if (this.#inUse.size === 0) this.#onEmpty?.();
      return this.#grow();
    }
    this.#place(entry);
  }

  /**
   * Changes how many workers there are. Idle ones that are too many are ended at once.
   *
   * @throws FoundationError `invalid_config`
   */
  resize({ size, maxOverflow }: Pick<PoolSizes, "size" | "maxOverflow">): void {
    checkSizes({ size, maxOverflow });
    this.#plan = { ...this.#plan, size, maxOverflow };
    while (this.#idle.length > 0 && this.#total() > size) void this.#end(this.#idle.shift()!);
    this.#grow();
  }

  /**
   * Ends the pool: those who wait are refused, idle workers ended. Workers in use are ended when
   * they are given back, or after `graceMs`.
   */
  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#cancelRemake?.();
    this.#line.refuseAll(stopped());
    const ending = this.#idle.splice(0).map(async (entry) => this.#end(entry));
    if (this.#inUse.size > 0 && graceMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(graceMs, resolve, true);
        this.#onEmpty = () => {
          cancel();
          resolve();
        };
      });
    }
    for (const entry of this.#inUse) ending.push(this.#end(entry));
    this.#inUse.clear();
    await Promise.all(ending);
  }

  #state(): PoolStatus["state"] {
    if (this.#isStopped) return "stopped";
    if (this.#idle.length > 0) return "ready";
    return this.#total() < this.#plan.size + this.#plan.maxOverflow ? "overflow" : "full";
  }

  #total(): number {
    return this.#idle.length + this.#checking + this.#inUse.size + this.#creating;
  }

  #takeIdle(): Entry<Worker> | undefined {
    return this.#plan.strategy === "lifo" ? this.#idle.pop() : this.#idle.shift();
  }

  #hold(entry: Entry<Worker>): Lease<Worker> {
    this.#inUse.add(entry);
    return entry;
  }

  /** Hands a worker to who came first, or puts it by. */
  #place(entry: Entry<Worker>): void {
    const waiter = this.#line.first;
    if (waiter !== undefined) {
      // Counted as in use at once: whoever looks before the caller goes on must not count it twice.
      this.#inUse.add(entry);
      waiter.give(entry);
    } else if (this.#total() >= this.#plan.size) void this.#end(entry);
    else this.#idle.push(entry);
  }

  /** Looks whether an idle worker can still be used; if so, it goes to who came first. */
  async #check(entry: Entry<Worker>): Promise<void> {
    this.#checking += 1;
    let isUsable = false;
    try {
      isUsable = (await this.#plan.module.validate?.(entry.worker)) ?? true;
    } catch {
      // A worker that cannot even be asked is as good as one that says no.
    }
    this.#checking -= 1;
    if (isUsable && !entry.isGone && !this.#isStopped) return this.#place(entry);
    if (!entry.isGone) this.#lost += 1;
    void this.#end(entry);
    this.#grow();
  }

  /** Makes workers: one for each who waits as far as may be, and those that are always there. */
  #grow(): void {
    if (this.#isStopped) return;
    const { size, maxOverflow } = this.#plan;
    for (;;) {
      const total = this.#total();
      const isWanted = this.#line.size > this.#creating + this.#checking;
      const idle = this.#line.size > 0 && isWanted ? this.#takeIdle() : undefined;
      if (idle !== undefined) {
        if (this.#plan.module.validate === undefined) this.#place(idle);
        else void this.#check(idle);
        continue;
      }
      const isMissing = total < size && this.#isKeeping() && this.#cancelRemake === undefined;
      if (!isMissing && !(isWanted && total < size + maxOverflow)) return;
      void this.#add();
    }
  }

  async #add(): Promise<void> {
    try {
      const entry = await this.#create();
      this.#remakeMs = REMAKE_MS.first;
      if (this.#isStopped) await this.#end(entry);
      else this.#place(entry);
    } catch (thrown) {
      const waiter = this.#line.first;
      if (waiter !== undefined) waiter.refuse(thrown as FoundationError);
      this.#remakeLater();
    }
  }

  /** Workers that cannot be made are tried again, less and less often. */
  #remakeLater(): void {
    if (this.#isStopped || this.#cancelRemake !== undefined) return;
    this.#cancelRemake = this.#clock.after(this.#remakeMs, () => {
      this.#cancelRemake = undefined;
      this.#grow();
    });
    this.#remakeMs = Math.min(REMAKE_MS.most, this.#remakeMs * 2);
  }

  async #create(): Promise<Entry<Worker>> {
    const { module, args, createTimeoutMs } = this.#plan;
    this.#creating += 1;
    try {
      const control = new AbortController();
      const making = (async () => module.create(args, control.signal))();
      const worker = await this.#inTime(making, createTimeoutMs, control);
      const entry: Entry<Worker> = { worker, isGone: false };
      module.onExit?.(worker, () => this.#onExit(entry));
      return entry;
    } catch (thrown) {
      throw workerFailed(thrown);
    } finally {
      this.#creating -= 1;
    }
  }

  /** A worker that comes too late is ended, for nobody waits for it. */
  async #inTime(
    making: Promise<Worker>,
    timeoutMs: number,
    control: AbortController,
  ): Promise<Worker> {
    return new Promise((resolve, reject) => {
      const late = (): void => {
        const reason = new Error(`it took longer than ${timeoutMs} ms`);
        reject(reason);
        control.abort(reason);
        making.then((worker) => this.#end({ worker, isGone: false })).catch(() => {});
      };
      const cancel = this.#clock.after(timeoutMs, late, true);
      making.finally(cancel).then(resolve, reject);
    });
  }

  #onExit(entry: Entry<Worker>): void {
    if (entry.isGone || this.#isStopped) return;
    entry.isGone = true;
    this.#lost += 1;
    if (!this.#idle.includes(entry)) return;
    this.#idle = this.#idle.filter((each) => each !== entry);
    this.#grow();
  }

  /** Ends a worker. It is not counted any more, and what its end throws is nobody's concern. */
  async #end(entry: Entry<Worker>): Promise<void> {
    const isGone = entry.isGone;
    entry.isGone = true;
    if (isGone) return;
    try {
      await this.#plan.module.destroy?.(entry.worker);
    } catch {
      // It is not used any more, whatever became of it.
    }
  }
}

function stopped(): FoundationError {
  return new FoundationError("pool_stopped", "the pool was stopped");
}

function checkoutTimeout(timeoutMs: number): FoundationError {
  const text = `no worker was free within ${timeoutMs} ms`;
  return new FoundationError("checkout_timeout", text, { context: { timeoutMs } });
}

function workerFailed(cause: unknown): FoundationError {
  const reason = thrownText(cause);
  return new FoundationError("worker_failed", `a worker could not be made: ${reason}`, { cause });
}
