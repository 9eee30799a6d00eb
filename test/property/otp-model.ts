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
  isTrapping: boolean;
  isAlive: boolean;
  reason: unknown;
  dropped: number;
}

/** What OTP says of processes, with plain sets and lists for memory. A signal arrives at once. */
export class OtpModel {
  readonly processes: Modelled[] = [];
  readonly names = new Map<string, Id>();
  crashed = 0;

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
      isTrapping,
      isAlive: true,
      reason: undefined,
      dropped: 0,
    });
    if (name !== undefined) this.register(name, id);
    return id;
  }

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

  send(from: Id, to: Id, number: number): boolean {
    const target = this.at(to);
    if (!target.isAlive) return true;
    const item: Item = { kind: "message", from, number };
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
    else this.at(holder).mailbox.push({ kind: "DOWN", from: target, ref, reason: "noproc" });
  }

  demonitor(holder: Id, ref: number, isFlushing: boolean): void {
    const { monitors, mailbox } = this.at(holder);
    monitors.delete(ref);
    if (!isFlushing) return;
    const index = mailbox.findIndex((item) => item.kind === "DOWN" && item.ref === ref);
    if (index >= 0) mailbox.splice(index, 1);
  }

  watchersOf(target: Id): number {
    const refs = this.processes.flatMap(({ monitors }) => [...monitors.values()]);
    return refs.filter((id) => id === target).length;
  }

  /** `exit(pid, reason)`. */
  exit(from: Id, to: Id, reason: unknown): void {
    const target = this.at(to);
    if (!target.isAlive) return;
    if (reason === "kill") return this.end(to, "killed");
    if (target.isTrapping) target.mailbox.push({ kind: "EXIT", from, reason });
    else if (reason !== "normal" || from === to) this.end(to, reason);
  }

  #exitOfLink(from: Id, to: Id, reason: unknown): void {
    const target = this.at(to);
    if (!target.isAlive) return;
    // A reason `kill` that comes by a link is one like any other.
    if (target.isTrapping) target.mailbox.push({ kind: "EXIT", from, reason });
    else if (reason !== "normal") this.end(to, reason);
  }

  stop(to: Id, reason: unknown): void {
    if (this.at(to).isAlive) this.at(to).mailbox.push({ kind: "stop", from: NOBODY, reason });
  }

  end(id: Id, reason: unknown): void {
    const ended = this.at(id);
    ended.isAlive = false;
    ended.reason = reason;
    ended.mailbox.length = 0;
    ended.monitors.clear();
    for (const name of [...ended.names]) this.unregister(name);
    const links = [...ended.links];
    for (const linked of links) this.unlink(id, linked);
    for (const linked of links) this.#exitOfLink(id, linked, reason);
    for (const { monitors, mailbox } of this.processes) {
      for (const [ref, target] of monitors) {
        if (target !== id) continue;
        monitors.delete(ref);
        mailbox.push({ kind: "DOWN", from: id, ref, reason });
      }
    }
  }

  /** A process handles an item: what was wrong with that, or undefined. */
  take(id: Id, item: Item): string | undefined {
    const { isAlive, mailbox } = this.at(id);
    if (!isAlive) return `${id} is dead and handles ${describe(item)}`;
    const index = mailbox.findIndex((waiting) => describe(waiting) === describe(item));
    if (index < 0) return `${id} handles ${describe(item)}, which nobody sent`;
    const ahead = mailbox.slice(0, index).find((other) => comesBefore(other, item));
    mailbox.splice(index, 1);
    return ahead && `${id} handles ${describe(item)} before ${describe(ahead)}`;
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
