import { FoundationError } from "../../base/errors.ts";
import { Pid } from "../../base/pid.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { FoundationEvent } from "./event-types.ts";

/** Which events somebody is told of; what is left out does not matter. */
export interface EventFilter {
  /** Of this type, or of one of these. Unit: texts. Default: any. */
  readonly eventType?: string | readonly string[];
  /** Unit: text. Default: any. */
  readonly correlationId?: string;
  /** Asked before each event that is told of. Unit: function. Default: yes. */
  readonly where?: (event: FoundationEvent) => boolean;
}

/** Is told of events; a promise that it answers with is waited for before the next call. */
export type EventListener = (event: FoundationEvent) => unknown;

/** Who is told of events: a function, or a process that gets `EVENT` messages. */
export type EventSubscriber = EventListener | Pid;

/** What a process that subscribed receives. */
export interface EventMessage {
  readonly kind: "EVENT";
  readonly event: FoundationEvent;
}

/** How processes are told, and found to have ended. */
export interface EventSubscriberHost {
  send(pid: Pid, message: EventMessage): unknown;
  monitor(pid: Pid, onDown: () => void): Unsubscribe;
}

/** Figures of those who are told of events. */
export interface SubscriptionCounts {
  readonly subscriptions: number;
  /** Events that nobody was told of, since too many were waiting. */
  readonly dropped: number;
  /** Calls that threw or rejected. */
  readonly failures: number;
}

/** How many may be told of events, and how many events may wait for one of them. */
export interface SubscriptionLimits {
  readonly subscriptionsMax: number;
  readonly queueEventsMax: number;
}

/** Longest turn of one subscription; the others and the event loop get theirs in between. */
const TURN_MS = 5;

/** Those who are told of events, each from a queue of its own, after the event was stored. */
export class EventSubscriptions {
  readonly #host: EventSubscriberHost | undefined;
  readonly #limits: SubscriptionLimits;
  readonly #anyType = new Set<Subscription>();
  readonly #byType = new Map<string, Set<Subscription>>();
  readonly #tally = { dropped: 0, failures: 0 };
  #size = 0;

  constructor(host: EventSubscriberHost | undefined, limits: SubscriptionLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  get counts(): SubscriptionCounts {
    return { subscriptions: this.#size, ...this.#tally };
  }

  /**
   * Tells somebody of the events that are stored from now on, until the returned function is called
   * or the process ends.
   *
   * @throws FoundationError `resource_exhausted` where there are too many, `invalid_argument`
   */
  add(subscriber: EventSubscriber, filter: EventFilter = {}): Unsubscribe {
    checkSubscriber(subscriber);
    const types = typesOf(filter);
    if (this.#size >= this.#limits.subscriptionsMax) {
      const text = `there are ${this.#size} subscriptions of events, which is the limit`;
      throw new FoundationError("resource_exhausted", text);
    }
    const deliver = this.#deliveryTo(subscriber);
    const one = new Subscription(filter, deliver, this.#limits.queueEventsMax, this.#tally);
    for (const set of this.#setsOf(types)) set.add(one);
    this.#size += 1;
    const remove = (): void => this.#remove(one, types);
    if (subscriber instanceof Pid) one.release = this.#host?.monitor(subscriber, remove);
    return remove;
  }

  /** Whether anybody may want an event of a type. */
  isHeard(eventType: string): boolean {
    return this.#anyType.size > 0 || this.#byType.has(eventType);
  }

  /** An event was stored. Those who want it are told later, in order. */
  tell(event: FoundationEvent): void {
    for (const one of this.#anyType) one.offer(event);
    const ofType = this.#byType.get(event.eventType);
    if (ofType !== undefined) for (const one of ofType) one.offer(event);
  }

  /** A function in another isolate that is told by a process of its own failed. */
  countFailure(): void {
    this.#tally.failures += 1;
  }

  /** Nobody is told of further events; what waits is told of yet. */
  close(): void {
    for (const set of [this.#anyType, ...this.#byType.values()]) {
      for (const one of set) one.retire();
    }
    this.#anyType.clear();
    this.#byType.clear();
    this.#size = 0;
  }

  #deliveryTo(subscriber: EventSubscriber): (event: FoundationEvent) => unknown {
    if (!(subscriber instanceof Pid)) return subscriber;
    return (event) => {
      // A mailbox that is full takes no more: that is its owner's loss.
      if (this.#host?.send(subscriber, { kind: "EVENT", event }) === false)
        this.#tally.dropped += 1;
    };
  }

  #remove(one: Subscription, types: readonly string[] | undefined): void {
    if (one.isEnded) return;
    one.end();
    let isListed = this.#anyType.delete(one);
    for (const type of types ?? []) {
      const set = this.#byType.get(type);
      if (set?.delete(one) !== true) continue;
      isListed = true;
      if (set.size === 0) this.#byType.delete(type);
    }
    if (isListed) this.#size -= 1;
  }

  #setsOf(types: readonly string[] | undefined): Set<Subscription>[] {
    if (types === undefined) return [this.#anyType];
    return types.map((type) => {
      const set = this.#byType.get(type) ?? new Set();
      this.#byType.set(type, set);
      return set;
    });
  }
}

class Subscription {
  readonly #filter: EventFilter;
  readonly #deliver: (event: FoundationEvent) => unknown;
  readonly #queueMax: number;
  readonly #tally: { dropped: number; failures: number };
  readonly #queue: FoundationEvent[] = [];
  #isBusy = false;
  isEnded = false;
  release: Unsubscribe | undefined;

  constructor(
    filter: EventFilter,
    deliver: (event: FoundationEvent) => unknown,
    queueMax: number,
    tally: { dropped: number; failures: number },
  ) {
    this.#filter = filter;
    this.#deliver = deliver;
    this.#queueMax = queueMax;
    this.#tally = tally;
  }

  offer(event: FoundationEvent): void {
    const { correlationId } = this.#filter;
    if (correlationId !== undefined && event.correlationId !== correlationId) return;
    if (this.#queue.length >= this.#queueMax) {
      this.#tally.dropped += 1;
      return;
    }
    this.#queue.push(event);
    if (!this.#isBusy) this.#later();
  }

  end(): void {
    this.isEnded = true;
    this.#queue.length = 0;
    this.retire();
  }

  /** Whoever is told is not watched any more. */
  retire(): void {
    this.release?.();
    this.release = undefined;
  }

  #later(): void {
    this.#isBusy = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const endMs = performance.now() + TURN_MS;
    for (let next = 0; ; next++) {
      const event = this.#queue[next];
      const isOver = event === undefined || performance.now() >= endMs;
      const waits = isOver ? undefined : this.#tell(event);
      if (!isOver && waits === undefined && !this.isEnded) continue;
      this.#queue.splice(0, isOver ? next : next + 1);
      if (waits !== undefined) void waits.then(() => this.#later());
      else if (this.#queue.length > 0) this.#later();
      else this.#isBusy = false;
      return;
    }
  }

  /** Tells of one event; answers with what has to be waited for. */
  #tell(event: FoundationEvent): PromiseLike<unknown> | undefined {
    const fail = (): void => {
      this.#tally.failures += 1;
    };
    try {
      if (this.#filter.where?.(event) === false) return undefined;
      const result = this.#deliver(event);
      return isThenable(result) ? Promise.resolve(result).catch(fail) : undefined;
    } catch {
      fail();
      return undefined;
    }
  }
}

function checkSubscriber(subscriber: unknown): void {
  if (typeof subscriber === "function" || subscriber instanceof Pid) return;
  throw new FoundationError("invalid_argument", "a subscriber is a function or a pid");
}

function typesOf({ eventType, correlationId, where }: EventFilter): readonly string[] | undefined {
  const types = typeof eventType === "string" ? [eventType] : eventType;
  const isRight =
    (types === undefined ||
      (Array.isArray(types) && types.every((one) => typeof one === "string"))) &&
    (correlationId === undefined || typeof correlationId === "string") &&
    (where === undefined || typeof where === "function");
  if (isRight) return types === undefined ? undefined : [...new Set(types)];
  const text = "a filter has texts as `eventType` and `correlationId`, a function as `where`";
  throw new FoundationError("invalid_argument", text);
}
