import { FOREVER_MS } from "../base/deadline.ts";
import { isErrorCode } from "../base/error-codes.ts";
import { FoundationError } from "../base/errors.ts";
import { type Home, isSameHome, Pid } from "../base/pid.ts";
import { thrownText } from "../base/thrown-text.ts";
import type { Unsubscribe } from "../base/typed-events.ts";
import type { MessageContext } from "../kernel/handlers.ts";
import type { ClusterNode } from "../kernel/node.ts";
import { release, slabOf, toOwned } from "../kernel/slabs.ts";
import { Bulk, type EncodedMessage } from "./bulk.ts";
import { Credits } from "./credits.ts";
import { type Distant, type DistantDestination, describe } from "./distant.ts";
import { Envelope, exitedError, noProcessError } from "./envelope.ts";
import type { HeavyEndReport } from "./heavy-wire.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { PendingCall } from "./pending-call.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessInfo, ProcessSendOptions } from "./process-types.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { SignalQueues } from "./signal-queues.ts";
import { describeReason, type ExitReason, type MonitorRef } from "./signals.ts";
import type { Watcher } from "./ties.ts";
import {
  addressOf,
  homeKey,
  isolateName,
  OP,
  type Op,
  processName,
  type Reply,
  ROOT_NAME,
} from "./wire.ts";

/** A link that the other end has not confirmed, and what became of it meanwhile. */
interface PendingLink {
  ended: { readonly reason: ExitReason } | undefined;
  isUnlinked: boolean;
}

/** An isolate's processes among those of other isolates and nodes. */
export class Distribution implements Distant {
  readonly #node: ClusterNode;
  readonly #runtime: ProcessRuntime;
  readonly #signals: SignalQueues;
  readonly #bulk: Bulk;
  /** What is sent and taken by credit. */
  readonly credits: Credits;
  readonly #neighbourhood = new Neighbourhood((home) => void this.#attend(home));
  readonly #pendingLinks = new Map<string, PendingLink>();
  #isClosed = false;

  constructor(node: ClusterNode, runtime: ProcessRuntime) {
    this.#node = node;
    this.#runtime = runtime;
    this.#signals = new SignalQueues(node);
    this.#bulk = new Bulk(runtime);
    this.credits = new Credits(
      runtime,
      (to, op) => this.#signal(to, op),
      (home) => this.#isStale(home),
    );
    node.handle(isolateName(runtime.home.slot), (op: Op, context: MessageContext) => {
      return this.#receive(op, context, undefined);
    });
  }

  /** Signals that wait for room on their way out. */
  get signalsWaiting(): number {
    return this.#signals.size;
  }

  /** The isolate leaves its node: nothing is sent or awaited any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether a home is that of a run that is over. */
  #isStale({ node, life, slot, generation }: Home): boolean {
    const { home } = this.#runtime;
    if (node === home.node) {
      return life !== home.life || (slot === home.slot && generation !== home.generation);
    }
    const present = this.#node.lifeOf(node);
    return present !== undefined && present !== life;
  }

  // What goes out.

  send(
    to: DistantDestination,
    kind: "send" | "cast",
    message: unknown,
    options: ProcessSendOptions | undefined,
  ): boolean {
    if ("serial" in to && this.#isStale(to.home)) return this.#toNobody();
    const address = addressOf(to);
    if (this.#signals.isHeldUp(address)) return false;
    const [serial, generation] = placeOf(to);
    // Large bytes are not written into the array first.
    const isLed = message instanceof Uint8Array && message.length > this.#node.inlineBytesMax;
    try {
      return isLed
        ? this.#node.sendLed(address, [OP[kind], serial, generation], message, options)
        : this.#node.send(address, [OP[kind], serial, generation, message], options);
    } catch (thrown) {
      if (thrown instanceof FoundationError && thrown.code === "noconnection") {
        return this.#toNobody();
      }
      throw thrown;
    }
  }

  /** Sends bytes that the node has counted; another isolate of it reads them in place. */
  sendCounted(to: Pid, bytes: Uint8Array, options: ProcessSendOptions | undefined): boolean {
    const lead: Op = [OP.counted, to.serial, to.home.generation];
    return this.#sendLed(to.home, lead, bytes, options);
  }

  /** Sends a message that counts against an account of this isolate with its receiver. */
  sendCredited(
    to: Pid,
    account: number,
    message: unknown,
    options: ProcessSendOptions | undefined,
  ): boolean {
    const { home } = this.#runtime;
    if (!isSameHome(to.home, home)) {
      return this.#sendLed(to.home, this.credits.lead(to, account), message, options);
    }
    const settled = (): void => this.credits.ledgers.handled({ home, account });
    const process = this.#runtime.at(to.serial);
    if (process === undefined) return this.#toNobody();
    return process.accept(new Envelope("send", message, undefined, { settled }));
  }

  /** Sends one message to processes of one isolate elsewhere, at most `RECEIVERS_MAX` of them. */
  sendMany(
    to: Home,
    serials: readonly number[],
    { encoding, bytes }: EncodedMessage,
    options: ProcessSendOptions | undefined,
  ): boolean {
    const lead: Op = [OP.many, to.generation, encoding, serials];
    return this.#sendLed(to, lead, bytes, options);
  }

  /** What {@link send} does, for other kinds of messages; counted bytes are read in place. */
  #sendLed(to: Home, lead: Op, last: unknown, options: ProcessSendOptions | undefined): boolean {
    if (this.#isStale(to)) return this.#toNobody();
    const address = { node: to.node, name: isolateName(to.slot) };
    if (this.#signals.isHeldUp(address)) return false;
    const isCounted = last instanceof Uint8Array && slabOf(last) !== undefined;
    try {
      return isCounted
        ? this.#node.sendLed(address, lead, last, options)
        : this.#node.send(address, [...lead, last], options);
    } catch (thrown) {
      if (thrown instanceof FoundationError && thrown.code === "noconnection") {
        return this.#toNobody();
      }
      throw thrown;
    }
  }

  grant(process: LightProcess, messages: number): void {
    this.credits.ledgers.grant(process, messages);
  }

  #toNobody(): true {
    this.#runtime.counts.toNobody++;
    return true;
  }

  call(
    to: DistantDestination,
    message: unknown,
    call: PendingCall,
    options: ProcessSendOptions | undefined,
  ): void {
    const [serial, generation] = placeOf(to);
    const askedAtMs = performance.now();
    this.#ask(to, [OP.call, serial, generation, message], options, call).then(
      (answer) => {
        const [isAnswer, value, text, reason] = answer as Reply;
        if (isAnswer) call.reply(value);
        else call.fail(remoteError(value as string, text as string, reason));
      },
      async (thrown: unknown) => {
        if (!("serial" in to) || call.isSettled || !isNoProcess(thrown)) return call.fail(thrown);
        const reason = await this.#endOf(to.home, askedAtMs);
        call.fail(reason === "noproc" ? thrown : exitedError(to, reason));
      },
    );
  }

  /** A request of the runtime to a process or a name elsewhere. */
  async #ask(
    to: DistantDestination,
    op: Op,
    options?: ProcessSendOptions,
    call?: PendingCall,
  ): Promise<unknown> {
    if ("serial" in to && this.#isStale(to.home)) throw noProcessError(describe(to));
    const address = addressOf(to);
    if (this.#signals.isHeldUp(address)) await this.#signals.drained(address);
    const patient = { ...options, timeoutMs: FOREVER_MS };
    const onOpen = (giveUp: () => void): void => call?.whenSettled(giveUp);
    try {
      return await this.#node.request(address, op, patient, onOpen);
    } catch (thrown) {
      if (thrown instanceof FoundationError && thrown.code === "noproc") {
        throw noProcessError(describe(to), thrown);
      }
      throw thrown;
    }
  }

  async drained(to: DistantDestination, options: ProcessSendOptions | undefined): Promise<void> {
    const address = addressOf(to);
    // Without a pause where none is needed: the kernel waits for what it has refused last.
    if (this.#signals.isHeldUp(address)) await this.#signals.drained(address);
    try {
      await this.#node.drained({ to: address.node, ...options });
    } catch (thrown) {
      // Sending to who is gone is no failure, and so is waiting for it.
      if (!(thrown instanceof FoundationError) || thrown.code !== "noconnection") throw thrown;
    }
  }

  #signal(to: Home, op: Op): void {
    if (this.#isClosed || this.#isStale(to)) return;
    this.#signals.send({ node: to.node, name: isolateName(to.slot) }, op);
  }

  exit(from: Pid, to: Pid, reason: ExitReason, isLink: boolean): void {
    if (isLink) {
      const process = this.#runtime.find(from);
      const pending = this.#pendingLinks.get(linkKey(from, to));
      if (pending !== undefined) pending.ended = { reason };
      if (process !== undefined) this.#neighbourhood.takeLink(process, to);
    }
    const op = isLink ? OP.linkExit : OP.exit;
    this.#signal(to.home, [op, to.serial, to.home.generation, from, reason]);
    if (isLink || reason !== "kill") return;
    // A heavy process that runs without end does not read its signals; its root isolate ends it.
    const { node, slot, generation } = to.home;
    if (this.#isClosed || this.#isStale(to.home)) return;
    this.#signals.send({ node, name: ROOT_NAME }, [OP.kill, `${slot}.${generation}`, to.serial]);
  }

  stop(to: Pid, reason: ExitReason): void {
    this.#signal(to.home, [OP.stop, to.serial, to.home.generation, reason]);
  }

  link(process: LightProcess, to: Pid): void {
    this.#neighbourhood.addLink(process, to);
    const key = linkKey(process.pid, to);
    const pending: PendingLink = { ended: undefined, isUnlinked: false };
    this.#pendingLinks.set(key, pending);
    const op: Op = [OP.link, to.serial, to.home.generation, process.pid];
    const askedAtMs = performance.now();
    const settle = (failure: { readonly reason: ExitReason } | undefined): void => {
      this.#pendingLinks.delete(key);
      if (failure !== undefined) return this.#linkFailed(process, to, failure.reason);
      // What happened before the other end knew of the link is told again.
      if (pending.ended !== undefined) {
        this.exit(process.pid, to, pending.ended.reason, true);
      } else if (pending.isUnlinked) {
        this.#signal(to.home, [OP.unlink, to.serial, to.home.generation, process.pid]);
      }
    };
    this.#ask(to, op).then(
      (isThere) => settle(isThere === true ? undefined : { reason: "noproc" }),
      async (thrown: unknown) => settle(await this.#failure(thrown, to, askedAtMs)),
    );
  }

  /** Why a tie could not be made: the other end is gone, or ended meanwhile. */
  async #failure(
    thrown: unknown,
    { home }: Pid,
    askedAtMs: number,
  ): Promise<{ readonly reason: ExitReason }> {
    if (!isNoProcess(thrown)) return { reason: "noconnection" };
    return { reason: this.#isStale(home) ? "noproc" : await this.#endOf(home, askedAtMs) };
  }

  #linkFailed(process: LightProcess, to: Pid, reason: ExitReason): void {
    if (this.#isClosed || !this.#neighbourhood.takeLink(process, to)) return;
    if (process.knownTies?.links.delete(to.toString()) === true) process.onExit(to, reason, true);
  }

  unlink(process: LightProcess, to: Pid): void {
    this.#neighbourhood.takeLink(process, to);
    const pending = this.#pendingLinks.get(linkKey(process.pid, to));
    if (pending !== undefined) pending.isUnlinked = true;
    this.#signal(to.home, [OP.unlink, to.serial, to.home.generation, process.pid]);
  }

  monitor(ref: MonitorRef, watcher: Watcher, target: Pid): void {
    this.#neighbourhood.addMonitor(ref, watcher, target);
    const { home } = this.#runtime;
    const place = [home.life, home.slot, home.generation];
    const op: Op = [OP.monitor, target.serial, target.home.generation, ref, ...place];
    const askedAtMs = performance.now();
    const settle = (failure: { readonly reason: ExitReason } | undefined): void => {
      if (this.#isClosed || failure === undefined) return;
      this.#neighbourhood.takeMonitor(ref)?.watcher.down(target, failure.reason);
    };
    this.#ask(target, op).then(
      (isThere) => settle(isThere === true ? undefined : { reason: "noproc" }),
      async (thrown: unknown) => settle(await this.#failure(thrown, target, askedAtMs)),
    );
  }

  demonitor(ref: MonitorRef, target: Pid): void {
    if (this.#neighbourhood.takeMonitor(ref) === undefined) return;
    const { home } = this.#runtime;
    const place = [home.life, home.slot, home.generation];
    const op: Op = [OP.demonitor, target.serial, target.home.generation, ref, ...place];
    this.#signal(target.home, op);
  }

  register(name: string): Unsubscribe {
    return this.#node.handle(processName(name), (op: Op, context: MessageContext) => {
      return this.#receive(op, context, this.#runtime.named(name));
    });
  }

  /** The process of a name anywhere; undefined where there is none. */
  async lookup(to: { readonly node: string; readonly name: string }): Promise<Pid | undefined> {
    try {
      const found = await this.#ask(to, [OP.whereis]);
      return found instanceof Pid ? found : undefined;
    } catch (thrown) {
      if (isNoProcess(thrown)) return undefined;
      throw thrown;
    }
  }

  /** What a process elsewhere is doing; undefined where it is gone. */
  async info(pid: Pid): Promise<ProcessInfo | undefined> {
    try {
      const op: Op = [OP.info, pid.serial, pid.home.generation];
      return (await this.#ask(pid, op)) as ProcessInfo | undefined;
    } catch (thrown) {
      if (isNoProcess(thrown)) return undefined;
      throw thrown;
    }
  }

  /**
   * Keeps a request open at an isolate that there are ties with: the kernel ends it when that
   * isolate, or the way to its node, is gone.
   */
  async #attend(home: Home): Promise<void> {
    const address = { node: home.node, name: isolateName(home.slot) };
    let reason: ExitReason = "noproc";
    const sinceMs = performance.now();
    try {
      if (!this.#isStale(home)) {
        await this.#node.call(address, [OP.attend, home.generation], { timeoutMs: FOREVER_MS });
      }
    } catch (thrown) {
      if (!isNoProcess(thrown)) reason = "noconnection";
    }
    if (reason === "noproc" && !this.#isClosed) {
      reason = await this.#endOf(home, sinceMs);
    }
    if (!this.#isClosed) this.#neighbourhood.forget(home, reason);
  }

  /**
   * Why an isolate that is gone has ended: a heavy process has a reason of its own, and its root
   * isolate knows it, once it comes round to it. `noproc` where it was none, or was gone before
   * `sinceMs`.
   */
  async #endOf({ node, slot, generation }: Home, sinceMs: number): Promise<ExitReason> {
    const to = { node, name: ROOT_NAME };
    const op: Op = [OP.endOf, `${slot}.${generation}`];
    try {
      // The kernel ends the request where nobody is there to answer it any more.
      const answer = await this.#node.call(to, op, { timeoutMs: FOREVER_MS });
      const end = answer as HeavyEndReport | undefined;
      const isKnown = end !== undefined && end.agoMs <= performance.now() - sinceMs;
      return isKnown ? end.reason : "noproc";
    } catch (thrown) {
      const isGone = thrown instanceof FoundationError && thrown.code === "noconnection";
      return isGone ? "noconnection" : "noproc";
    }
  }

  // What comes in.

  #receive(op: Op, { from, isCall }: MessageContext, named: LightProcess | undefined): unknown {
    if (!Array.isArray(op)) return undefined;
    const [kind, first, second, third, ...rest] = op;
    switch (kind) {
      case OP.attend:
        return first === this.#runtime.home.generation ? new Promise(() => {}) : false;
      case OP.down:
        return this.#onDown(first, second, third);
      case OP.whereis:
        return named?.pid;
      case OP.many:
        return first === this.#runtime.home.generation
          ? this.#bulk.many(second, third, rest[0])
          : undefined;
      case OP.credit:
        return this.credits.onCredit(first, second, third);
      default:
    }
    const process = named ?? this.#at(first, second);
    switch (kind) {
      case OP.send:
        return this.#deliver(process, "send", third);
      case OP.cast:
        return this.#deliver(process, "cast", third);
      case OP.counted:
        return this.#bulk.counted(process, third);
      case OP.credited:
        return this.#onCredited(process, homeOf(from, [third, ...rest]), rest[2], rest[3]);
      case OP.want:
        return this.credits.onWant(process, homeOf(from, [third, ...rest]), rest[2], rest[3]);
      case OP.call:
        return isCall ? this.#onCall(process, third) : undefined;
      case OP.exit:
        if (third instanceof Pid) process?.onExit(third, rest[0], false);
        return undefined;
      case OP.linkExit:
        return this.#onLinkExit(process, third, rest[0]);
      case OP.stop:
        if (process !== undefined) this.#runtime.stop(process.pid, third);
        return undefined;
      case OP.link:
        return this.#onLink(process, third);
      case OP.unlink:
        return this.#onUnlink(process, third);
      case OP.monitor:
        return this.#onMonitor(process, from, third, rest);
      case OP.demonitor:
        return this.#onDemonitor(process, from, third, rest);
      case OP.info:
        return process?.info();
      default:
        return undefined;
    }
  }

  #at(serial: unknown, generation: unknown): LightProcess | undefined {
    if (generation !== this.#runtime.home.generation || typeof serial !== "number")
      return undefined;
    return this.#runtime.at(serial);
  }

  #deliver(process: LightProcess | undefined, kind: "send" | "cast", given: unknown): unknown {
    const isShared = given instanceof Uint8Array && slabOf(given) !== undefined;
    if (process === undefined) {
      if (isShared) release(given);
      return this.#toNobody();
    }
    return this.#runtime.backlogs.deliver(process, kind, isShared ? toOwned(given) : given);
  }

  #onCredited(
    process: LightProcess | undefined,
    home: Home | undefined,
    account: unknown,
    message: unknown,
  ): unknown {
    if (process === undefined) return this.#toNobody();
    if (home === undefined || typeof account !== "number") return undefined;
    const settled = (): void => this.credits.ledgers.handled({ home, account });
    const lost = (): void => {
      if (message instanceof Uint8Array) release(message);
    };
    return this.#runtime.backlogs.deliver(process, "send", message, { settled, lost });
  }

  async #onCall(process: LightProcess | undefined, message: unknown): Promise<Reply> {
    if (process === undefined) return [false, "noproc", "there is no such process", undefined];
    return new Promise<Reply>((resolve) => {
      const caller = {
        reply: (value: unknown) => resolve([true, value]),
        fail: (error: unknown) => resolve(failedReply(error)),
      };
      this.#runtime.backlogs.call(process, new Envelope("call", message, caller));
    });
  }

  #onDown(ref: unknown, generation: unknown, reason: ExitReason): undefined {
    if (generation !== this.#runtime.home.generation || typeof ref !== "number") return;
    const monitored = this.#neighbourhood.takeMonitor(ref as MonitorRef);
    monitored?.watcher.down(monitored.target, reason);
  }

  #onLink(process: LightProcess | undefined, from: unknown): boolean {
    if (process === undefined || !(from instanceof Pid)) return false;
    process.ties.links.set(from.toString(), from);
    this.#neighbourhood.addLink(process, from);
    return true;
  }

  #onUnlink(process: LightProcess | undefined, from: unknown): undefined {
    if (process === undefined || !(from instanceof Pid)) return;
    process.knownTies?.links.delete(from.toString());
    this.#neighbourhood.takeLink(process, from);
  }

  #onLinkExit(process: LightProcess | undefined, from: unknown, reason: ExitReason): undefined {
    if (process === undefined || !(from instanceof Pid)) return;
    this.#neighbourhood.takeLink(process, from);
    if (process.knownTies?.links.delete(from.toString()) === true) {
      process.onExit(from, reason, true);
    }
  }

  #onMonitor(
    process: LightProcess | undefined,
    node: string,
    ref: unknown,
    place: readonly unknown[],
  ): boolean {
    if (process === undefined || typeof ref !== "number") return false;
    const home = homeOf(node, place);
    if (home === undefined) return false;
    const key = `${homeKey(home)}/${ref}`;
    process.ties.watchers.set(key, {
      down: (_pid, reason) => {
        this.#neighbourhood.removeWatched(home, key);
        this.#signal(home, [OP.down, ref, home.generation, reason]);
      },
    });
    this.#neighbourhood.addWatched(home, key, process);
    return true;
  }

  #onDemonitor(
    process: LightProcess | undefined,
    node: string,
    ref: unknown,
    place: readonly unknown[],
  ): undefined {
    const home = homeOf(node, place);
    if (home === undefined) return;
    const key = `${homeKey(home)}/${String(ref)}`;
    process?.knownTies?.watchers.delete(key);
    this.#neighbourhood.removeWatched(home, key);
  }
}

function placeOf(to: DistantDestination): readonly [number, number] {
  return "serial" in to ? [to.serial, to.home.generation] : [0, 0];
}

function homeOf(node: string, [life, slot, generation]: readonly unknown[]): Home | undefined {
  if (typeof life !== "string" || typeof slot !== "number" || typeof generation !== "number") {
    return undefined;
  }
  return { node, life, slot, generation };
}

function linkKey(from: Pid, to: Pid): string {
  return `${from} ${to}`;
}

function isNoProcess(thrown: unknown): boolean {
  return thrown instanceof FoundationError && thrown.code === "noproc";
}

function failedReply(error: unknown): Reply {
  if (error instanceof FoundationError) {
    const reason = error.context["reason"];
    return [
      false,
      error.code,
      error.message,
      reason instanceof Error ? describeReason(reason) : reason,
    ];
  }
  return [false, "handler_failed", thrownText(error), undefined];
}

function remoteError(code: string, text: string, reason: unknown): FoundationError {
  const known = isErrorCode(code) ? code : "handler_failed";
  return new FoundationError(known, text, { context: { reason } });
}
