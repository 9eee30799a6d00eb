import { ModelTimers } from "./model-timers.ts";

/** Number of a process of the model, in the order of spawning; {@link NOBODY} is none of them. */
export type Id = number;
/** Code that is no process. */
export const NOBODY: Id = -1;

/** What a full mailbox does. */
export type Policy = "block" | "dropNewest" | "dropOldest";

/** What waits in a mailbox. */
export type Item =
  | { readonly kind: "message"; readonly from: Id; readonly number: number }
  | { readonly kind: "EXIT"; readonly from: Id; readonly reason: unknown }
  | { readonly kind: "DOWN"; readonly from: Id; readonly ref: number; readonly reason: unknown }
  | { readonly kind: "stop"; readonly from: Id; readonly reason: unknown };

/** What a process waits for in the middle of a handler. */
export type Wanted = (item: Item) => boolean;

/** A process of the model, alive or ended. */
export interface Modelled {
  readonly id: Id;
  readonly messagesMax: number;
  readonly policy: Policy;
  readonly links: Set<Id>;
  /** Monitors that it holds: whom each is on. */
  readonly monitors: Map<number, Id>;
  readonly names: Set<string>;
  readonly mailbox: Item[];
  /** What waits in front of the mailbox, which is full. */
  readonly held: Item[];
  /** Numbers of its timers. */
  readonly timers: Set<number>;
  isTrapping: boolean;
  isAlive: boolean;
  reason: unknown;
  dropped: number;
  /** While it waits in a `receive`. */
  receiving: { readonly wants: Wanted; readonly timer: number } | undefined;
  /** How its last `receive` ended. */
  received: string | undefined;
}

/** What OTP says of processes, with plain sets and lists for memory. A signal arrives at once. */
export class OtpModel {
  readonly processes: Modelled[] = [];
  readonly names = new Map<string, Id>();
  readonly timers = new ModelTimers();
  crashed = 0;
  toNobody = 0;
  fromEnded = 0;

  at(id: Id): Modelled {
    return this.processes[id] as Modelled;
  }

  /** Undefined: the name is taken. */
  spawn(
    isTrapping: boolean,
    messagesMax: number,
    policy: Policy,
    name: string | undefined,
  ): Id | undefined {
    if (name !== undefined && this.names.has(name)) return undefined;
    const id = this.processes.length;
    this.processes.push({
      id,
      messagesMax,
      policy,
      links: new Set(),
      monitors: new Map(),
      names: new Set(),
      mailbox: [],
      held: [],
      timers: new Set(),
      isTrapping,
      isAlive: true,
      reason: undefined,
      dropped: 0,
      receiving: undefined,
      received: undefined,
    });
    if (name !== undefined) this.register(name, id);
    return id;
  }

  // Names.

  /** What it is refused for, or undefined. */
  register(name: string, id: Id): "name_taken" | "noproc" | undefined {
    if (!this.at(id).isAlive) return "noproc";
    if (this.names.has(name)) return "name_taken";
    this.names.set(name, id);
    this.at(id).names.add(name);
    return undefined;
  }

  unregister(name: string): boolean {
    const id = this.names.get(name);
    if (id === undefined) return false;
    this.names.delete(name);
    this.at(id).names.delete(name);
    return true;
  }

  // Messages.

  send(from: Id, to: Id, number: number): boolean {
    const target = this.at(to);
    if (!target.isAlive) {
      this.toNobody++;
      return true;
    }
    const item: Item = { kind: "message", from, number };
    if (this.#hand(target, item)) return true;
    if (target.mailbox.length >= target.messagesMax) {
      if (target.policy === "block") return false;
      target.dropped++;
      // What is lost is a message: the runtime's own signals are not.
      const oldest = target.mailbox.findIndex(({ kind }) => kind === "message");
      if (target.policy === "dropNewest" || oldest < 0) return false;
      target.mailbox.splice(oldest, 1);
    }
    target.mailbox.push(item);
    return true;
  }

  /** A signal has no limit, and comes behind what waits for room. */
  #signal(to: Id, item: Item): void {
    const target = this.at(to);
    if (!target.isAlive || this.#hand(target, item)) return;
    (target.held.length > 0 ? target.held : target.mailbox).push(item);
  }

  /** Gives an item to a `receive` that waits for it. */
  #hand(target: Modelled, item: Item): boolean {
    const { receiving } = target;
    if (receiving === undefined || item.kind === "stop" || !receiving.wants(item)) return false;
    this.#endReceive(target, describe(item));
    return true;
  }

  #refill({ mailbox, held, messagesMax }: Modelled): void {
    while (held.length > 0) {
      if (held[0]?.kind === "message" && mailbox.length >= messagesMax) return;
      mailbox.push(held.shift() as Item);
    }
  }

  /** The oldest item that `isWanted` leaves the mailbox, or what waits in front of it. */
  #takeOut(process: Modelled, isWanted: Wanted): Item | undefined {
    for (const items of [process.mailbox, process.held]) {
      const index = items.findIndex(isWanted);
      if (index < 0) continue;
      const [item] = items.splice(index, 1);
      this.#refill(process);
      return item;
    }
    return undefined;
  }

  /** A process handles an item: what was wrong with that, or undefined. */
  take(id: Id, item: Item): string | undefined {
    const { isAlive, mailbox } = this.at(id);
    if (!isAlive) return `${id} is dead and handles ${describe(item)}`;
    const index = mailbox.findIndex((waiting) => describe(waiting) === describe(item));
    if (index < 0) return `${id} handles ${describe(item)}, which nobody sent`;
    const ahead = mailbox.slice(0, index).find((other) => comesBefore(other, item));
    mailbox.splice(index, 1);
    this.#refill(this.at(id));
    return ahead && `${id} handles ${describe(item)} before ${describe(ahead)}`;
  }

  // Waiting.

  /** A handler waits for an item of its choice. */
  receive(id: Id, wants: Wanted, timeoutMs: number): void {
    const process = this.at(id);
    process.received = undefined;
    const item = this.#takeOut(process, (one) => one.kind !== "stop" && wants(one));
    if (item !== undefined) {
      process.received = describe(item);
      return;
    }
    const late = (): void => this.#endReceive(process, "timeout");
    process.receiving = { wants, timer: this.timers.start(timeoutMs, late) };
  }

  #endReceive(process: Modelled, outcome: string): void {
    if (process.receiving === undefined) return;
    this.timers.cancel(process.receiving.timer);
    process.receiving = undefined;
    process.received = outcome;
  }

  /** A message that is due later, to a process or to whoever has a name then. */
  sendAfter(delayMs: number, from: Id, to: Id | string, number: number): number {
    if (typeof to === "string") {
      return this.timers.start(delayMs, () => {
        const id = this.names.get(to);
        if (id !== undefined) this.#due(from, id, number);
      });
    }
    const { timers, isAlive } = this.at(to);
    const timer = this.timers.start(delayMs, () => {
      timers.delete(timer);
      this.#due(from, to, number);
    });
    if (isAlive) timers.add(timer);
    return timer;
  }

  /** Nobody is there to be refused. */
  #due(from: Id, to: Id, number: number): void {
    const target = this.at(to);
    if (this.send(from, to, number) || target.policy !== "block") return;
    target.held.push({ kind: "message", from, number });
  }

  // Ties.

  link(a: Id, b: Id): void {
    if (a === b || this.at(a).links.has(b)) return;
    if (!this.at(b).isAlive) return this.#exitOfLink(b, a, "noproc");
    this.at(a).links.add(b);
    this.at(b).links.add(a);
  }

  unlink(a: Id, b: Id): void {
    this.at(a).links.delete(b);
    this.at(b).links.delete(a);
  }

  monitor(holder: Id, target: Id, ref: number): void {
    if (this.at(target).isAlive) this.at(holder).monitors.set(ref, target);
    else this.#signal(holder, { kind: "DOWN", from: target, ref, reason: "noproc" });
  }

  demonitor(holder: Id, ref: number, isFlushing: boolean): void {
    this.at(holder).monitors.delete(ref);
    if (!isFlushing) return;
    this.#takeOut(this.at(holder), (item) => item.kind === "DOWN" && item.ref === ref);
  }

  watchersOf(target: Id): number {
    const refs = this.processes.flatMap(({ monitors }) => [...monitors.values()]);
    return refs.filter((id) => id === target).length;
  }

  // Ends.

  /** `exit(pid, reason)`. */
  exit(from: Id, to: Id, reason: unknown): void {
    const target = this.at(to);
    if (!target.isAlive) return;
    if (reason === "kill") return this.end(to, "killed");
    if (target.isTrapping) this.#signal(to, { kind: "EXIT", from, reason });
    else if (reason !== "normal" || from === to) this.end(to, reason);
  }

  #exitOfLink(from: Id, to: Id, reason: unknown): void {
    const target = this.at(to);
    if (!target.isAlive) return;
    // A reason `kill` that comes by a link is one like any other.
    if (target.isTrapping) this.#signal(to, { kind: "EXIT", from, reason });
    else if (reason !== "normal") this.end(to, reason);
  }

  stop(to: Id, reason: unknown): void {
    if (this.at(to).isAlive) this.#signal(to, { kind: "stop", from: NOBODY, reason });
  }

  end(id: Id, reason: unknown): void {
    const ended = this.at(id);
    ended.isAlive = false;
    ended.reason = reason;
    ended.mailbox.length = 0;
    ended.held.length = 0;
    ended.monitors.clear();
    this.#endReceive(ended, "process_exited");
    for (const timer of ended.timers) this.timers.cancel(timer);
    ended.timers.clear();
    for (const name of [...ended.names]) this.unregister(name);
    const links = [...ended.links];
    for (const linked of links) this.unlink(id, linked);
    for (const linked of links) this.#exitOfLink(id, linked, reason);
    for (const { id: holder, monitors } of this.processes) {
      for (const [ref, target] of monitors) {
        if (target !== id) continue;
        monitors.delete(ref);
        this.#signal(holder, { kind: "DOWN", from: id, ref, reason });
      }
    }
  }
}

/** Between different senders there is no order; nor is there between the `DOWN`s of one end. */
function comesBefore(first: Item, second: Item): boolean {
  if (first.kind === "stop" || second.kind === "stop") return true;
  if (first.from !== second.from) return false;
  if (first.kind === "message" || second.kind === "message") return true;
  return first.kind === "EXIT" && second.kind === "EXIT";
}

/** An item in a line; two are the same where their lines are. */
export function describe(item: Item): string {
  const what = item.kind === "message" ? `${item.number}` : String(item.reason);
  return `${item.kind}${item.kind === "DOWN" ? item.ref : ""} ${what} of ${item.from}`;
}
