import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  FoundationError,
  isDown,
  isExit,
  type Pid,
  type Self,
  type TimerRef,
} from "../../dist/ts/index.js";
import { Scene, settled } from "../unit/beam-scene.ts";
import { describe, type Id, type Item, NOBODY, OtpModel, type Policy } from "./otp-model.ts";

/** Programs. OTP_MODEL_RUNS in the environment: so many of them. */
const RUNS = Number(process.env["OTP_MODEL_RUNS"] ?? 400);
const BOOM = new Error("boom");
const REASONS: readonly unknown[] = ["normal", "kill", "shutdown", BOOM];
/** More than any program takes: what is ready runs before the test goes on. */
const BUDGET_MS = 1e9;
/** More than any timer takes. */
const LONG_MS = 1_000;

/** One thing that a process, or the test itself, does. Numbers choose among what there is. */
type Op =
  | {
      readonly op: "spawn" | "spawnLink";
      readonly isTrapping: boolean;
      readonly messagesMax: number;
      readonly policy: Policy;
      readonly name: string | undefined;
    }
  | { readonly op: "link" | "unlink" | "monitor"; readonly to: number }
  | { readonly op: "demonitor"; readonly which: number; readonly isFlushing: boolean }
  | { readonly op: "trapExit"; readonly isTrapping: boolean }
  | { readonly op: "send"; readonly to: number; readonly ops: readonly Op[] }
  | { readonly op: "exit" | "stop"; readonly to: number; readonly reason: number }
  | { readonly op: "leave"; readonly reason: number }
  | { readonly op: "crash" | "await" }
  | { readonly op: "receive"; readonly wants: Wants; readonly timeoutMs: number }
  | {
      readonly op: "sendAfter";
      readonly to: number | string;
      readonly delayMs: number;
      readonly ops: readonly Op[];
    }
  | { readonly op: "cancelTimer"; readonly which: number }
  | { readonly op: "register"; readonly name: string; readonly to: number }
  | { readonly op: "unregister"; readonly name: string };

/** What a `receive` takes: anything, signals, or the messages of one process. */
type Wants = "any" | "signals" | number;

interface Order {
  /** Who does it: the test itself, or a process, which is told to by a message. */
  readonly actor: number;
  readonly ops: readonly Op[];
}

interface Burst {
  readonly orders: readonly Order[];
  /** What passes after it. */
  readonly ms: number;
}

const to = fc.nat({ max: 11 });
const reason = fc.nat({ max: REASONS.length - 1 });
const name = fc.constantFrom("a", "b", "c");
const record = <T extends object>(weight: number, fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  ({ weight, arbitrary: fc.record(fields) }) as { weight: number; arbitrary: fc.Arbitrary<T> };
/** Also what ends together, and exactly with what passes. */
const delayMs = fc.constantFrom(1, 2, 2, 5, 20);
const op = <T extends string>(...names: T[]) => fc.constantFrom<T>(...names);

const { ops } = fc.letrec<{ ops: Op[]; one: Op }>((tie) => ({
  ops: fc.array(tie("one"), { maxLength: 4, depthIdentifier: "ops", size: "max" }),
  one: fc.oneof(
    { depthIdentifier: "ops" },
    record<Op>(3, {
      op: op("spawn", "spawnLink"),
      isTrapping: fc.boolean(),
      messagesMax: fc.constantFrom(1, 2, 3, 1_000, 1_000),
      policy: op("block", "dropNewest", "dropOldest"),
      name: fc.option(name, { nil: undefined, freq: 3 }),
    } as never),
    record<Op>(8, { op: op("link", "link", "unlink", "monitor", "monitor"), to } as never),
    record<Op>(2, { op: op("demonitor"), which: to, isFlushing: fc.boolean() } as never),
    record<Op>(1, { op: op("trapExit"), isTrapping: fc.boolean() } as never),
    record<Op>(6, { op: op("send"), to, ops: tie("ops") } as never),
    record<Op>(2, { op: op("exit", "exit", "stop"), to, reason } as never),
    record<Op>(1, { op: op("leave"), reason } as never),
    record<Op>(2, { op: op("crash", "await", "await") } as never),
    record<Op>(3, {
      op: op("receive"),
      wants: fc.oneof(op("any", "signals"), fc.nat({ max: 5 })),
      timeoutMs: delayMs,
    } as never),
    record<Op>(3, {
      op: op("sendAfter"),
      to: fc.oneof({ weight: 3, arbitrary: to }, { weight: 1, arbitrary: name }),
      delayMs,
      ops: tie("ops"),
    } as never),
    record<Op>(1, { op: op("cancelTimer"), which: to } as never),
    record<Op>(2, { op: op("register"), name, to } as never),
    record<Op>(1, { op: op("unregister"), name } as never),
  ),
}));
const order = fc.record({ actor: fc.integer({ min: -2, max: 11 }), ops });
const burst = fc.record<Burst>({
  orders: fc.array(order, { minLength: 1, maxLength: 8, size: "max" }),
  ms: fc.constantFrom(0, 0, 1, 2, 5),
});
const bursts = fc.array(burst, { minLength: 1, maxLength: 16, size: "max" });

interface Told {
  readonly from: Id;
  readonly number: number;
  readonly ops: readonly Op[];
}

/** The runtime and the model beside it: both do every step, and are compared after it. */
class Twins {
  readonly #scene = new Scene(BUDGET_MS);
  readonly #model = new OtpModel();
  readonly #pids: Pid[] = [];
  /** By the serial of their pid. */
  readonly #ids = new Map<number, Id>();
  readonly #reasons = new Map<Id, unknown>();
  readonly #refs = new Map<Id, number[]>();
  readonly #timers: { readonly real: TimerRef; readonly model: number }[] = [];
  /** What a process is about to end by, of itself. */
  readonly #ending = new Map<Id, unknown>();
  readonly #wrong: string[] = [];
  #number = 0;

  constructor() {
    for (const isTrapping of [false, true, false, true]) this.#spawn(undefined, isTrapping);
  }

  async run(program: readonly Burst[]): Promise<void> {
    for (const { orders, ms } of program) {
      for (const { actor, ops: told } of orders) {
        if (actor < 0) for (const one of told) this.#do(one, NOBODY, undefined);
        else this.#send(NOBODY, actor, told, undefined);
        this.#compare();
      }
      await this.#settle();
      if (ms > 0) await this.#advance(ms);
    }
    // Whoever waits, waits no longer, and what that leads to happens.
    while (vi.getTimerCount() > 0) await this.#advance(LONG_MS);
  }

  async #advance(ms: number): Promise<void> {
    this.#model.timers.advance(ms);
    vi.advanceTimersByTime(ms);
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.#compare();
    await settled();
    this.#compare();
    expect(this.#wrong).toEqual([]);
    this.#compareSettled();
  }

  #idOf(pid: Pid): Id {
    return this.#ids.get(pid.serial) ?? NOBODY;
  }

  #choose(number: number): Id {
    return number % this.#pids.length;
  }

  // Handlers.

  #spawn(
    self: Self | undefined,
    isTrapping: boolean,
    messagesMax = 1_000,
    policy: Policy = "block",
    called?: string,
    isLinked = false,
  ): void {
    const id = this.#model.spawn(isTrapping, messagesMax, policy, called);
    const body = {
      handle: (message: unknown, own: Self) => this.#handle(id as Id, message, own),
      terminate: (by: unknown): void => this.#terminate(id as Id, by),
    };
    const options = {
      trapExit: isTrapping,
      mailbox: { messagesMax, policy },
      ...(called !== undefined && { name: called }),
    };
    const start = (): Pid => {
      return isLinked && self !== undefined
        ? self.spawnLink(body as never, options)
        : this.#scene.processes.spawn(body as never, options);
    };
    const pid = this.#refusal(start, id === undefined ? "name_taken" : undefined);
    if (pid === undefined || id === undefined) return;
    this.#pids.push(pid);
    this.#ids.set(pid.serial, id);
    this.#scene.processes.monitor(pid, ({ reason: by }) => this.#reasons.set(id, by));
    if (isLinked && self !== undefined) this.#model.link(this.#idOf(self.pid), id);
  }

  #handle(id: Id, message: unknown, self: Self): Promise<void> | undefined {
    const wrong = this.#model.take(id, this.#itemOf(message));
    if (wrong !== undefined) this.#wrong.push(wrong);
    this.#compare();
    return isExit(message) || isDown(message)
      ? undefined
      : this.#doAll([...(message as Told).ops], id, self);
  }

  #itemOf(message: unknown): Item {
    if (isExit(message)) {
      return { kind: "EXIT", from: this.#idOf(message.from), reason: message.reason };
    }
    if (!isDown(message)) return { kind: "message", ...(message as Told) };
    const { ref, pid } = message;
    return { kind: "DOWN", from: this.#idOf(pid), ref, reason: message.reason };
  }

  /** At once up to an `await`, and then behind it; also where the process has ended meanwhile. */
  #doAll(rest: Op[], id: Id, self: Self): Promise<void> | undefined {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
      if (one.op === "await") return Promise.resolve().then(() => this.#doAll(rest, id, self));
      if (one.op === "receive") {
        const received = this.#receive(one, id, self);
        this.#compare();
        return received.then(() => this.#doAll(rest, id, self));
      }
      this.#do(one, id, self);
      this.#compare();
    }
    return undefined;
  }

  async #receive(
    { wants, timeoutMs }: Extract<Op, { op: "receive" }>,
    id: Id,
    self: Self,
  ): Promise<void> {
    const isWanted = (item: Item): boolean => {
      return (
        wants === "any" || (item.kind === "message" ? item.from === wants : wants === "signals")
      );
    };
    const model = this.#model.at(id);
    if (model.isAlive) this.#model.receive(id, isWanted, timeoutMs);
    else model.received = "process_exited";
    const received = await self
      .receive((message) => isWanted(this.#itemOf(message)), { timeoutMs })
      .then((message) => describe(this.#itemOf(message)), codeOf);
    if (received === model.received) return;
    this.#wrong.push(`${id} receives ${received} instead of ${model.received}`);
  }

  /** Runs at an end of its own and at a stop, and at no other. */
  #terminate(id: Id, by: unknown): void {
    const expected = this.#ending.has(id)
      ? { reason: this.#ending.get(id) }
      : this.#model.at(id).mailbox[0];
    if (expected === undefined || !("reason" in expected) || expected.reason !== by) {
      this.#wrong.push(`${id} terminates by ${String(by)}`);
    }
    this.#model.end(id, by);
  }

  // Steps.

  #do(one: Op, id: Id, self: Self | undefined): void {
    const { processes } = this.#scene;
    switch (one.op) {
      case "spawn":
      case "spawnLink": {
        const { isTrapping, messagesMax, policy } = one;
        const isLinked = one.op === "spawnLink";
        if (isLinked && self !== undefined && !this.#model.at(id).isAlive) {
          this.#refusal(() => self.spawnLink(() => {}), "process_exited");
          return undefined;
        }
        return this.#spawn(self, isTrapping, messagesMax, policy, one.name, isLinked);
      }
      case "send":
        return this.#send(id, one.to, one.ops, self);
      case "exit": {
        const target = this.#choose(one.to);
        // After an `await` the sender is nobody.
        const current = processes.self();
        const from = current === undefined ? NOBODY : this.#idOf(current);
        this.#model.exit(from, target, REASONS[one.reason]);
        return processes.exit(this.#pids[target] as Pid, REASONS[one.reason]);
      }
      case "stop": {
        const target = this.#choose(one.to);
        this.#model.stop(target, REASONS[one.reason]);
        return void processes.stop(this.#pids[target] as Pid, REASONS[one.reason]);
      }
      case "register": {
        const target = this.#choose(one.to);
        const refused = this.#model.register(one.name, target);
        const register = () => processes.register(one.name, this.#pids[target] as Pid);
        return void this.#refusal(register, refused);
      }
      case "sendAfter":
        return this.#sendAfter(id, one, self);
      case "cancelTimer":
        return this.#cancelTimer(one.which);
      case "unregister":
        if (this.#model.unregister(one.name) !== processes.unregister(one.name)) {
          this.#wrong.push(`'${one.name}' is not unregistered`);
        }
        return;
      default:
        if (self === undefined) return;
        if (this.#model.at(id).isAlive) this.#doOwn(one, id, self);
        else this.#doInVain(one, self);
    }
  }

  #sendAfter(id: Id, one: Extract<Op, { op: "sendAfter" }>, self: Self | undefined): void {
    const number = ++this.#number;
    const message: Told = { from: id, number, ops: one.ops };
    const target = typeof one.to === "string" ? one.to : this.#choose(one.to);
    if (target === id && self !== undefined) {
      const real = self.sendAfter(one.delayMs, message);
      if (!this.#model.at(id).isAlive) return; // it does not run
      this.#timers.push({ real, model: this.#model.sendAfter(one.delayMs, id, id, number) });
      return;
    }
    const to = typeof target === "string" ? target : (this.#pids[target] as Pid);
    const real = this.#scene.processes.sendAfter(one.delayMs, to, message);
    this.#timers.push({ real, model: this.#model.sendAfter(one.delayMs, id, target, number) });
  }

  #cancelTimer(which: number): void {
    if (this.#timers.length === 0) return;
    const { real, model } = this.#timers[which % this.#timers.length]!;
    const [left, expected] = [real.cancel(), this.#model.timers.cancel(model)];
    if (left !== expected) this.#wrong.push(`a timer has ${left} ms instead of ${expected}`);
  }

  /** What is without effect, because the process has ended. */
  #doInVain(one: Op, self: Self): void {
    switch (one.op) {
      case "link":
      case "unlink":
        return self[one.op](this.#pids[this.#choose(one.to)] as Pid);
      case "monitor":
        return self.demonitor(self.monitor(this.#pids[this.#choose(one.to)] as Pid));
      case "trapExit":
        self.trapExit = one.isTrapping;
        return;
      case "leave":
        return self.exit(REASONS[one.reason]);
      case "crash":
        throw BOOM;
      default:
    }
  }

  /** What only a process can do. */
  #doOwn(one: Op, id: Id, self: Self): void {
    switch (one.op) {
      case "link":
      case "unlink": {
        const target = this.#choose(one.to);
        this.#model[one.op](id, target);
        return self[one.op](this.#pids[target] as Pid);
      }
      case "monitor": {
        const target = this.#choose(one.to);
        if (target === id) return; // tells nobody
        const ref = self.monitor(this.#pids[target] as Pid);
        this.#refs.set(id, [...(this.#refs.get(id) ?? []), ref]);
        return this.#model.monitor(id, target, ref);
      }
      case "demonitor": {
        const refs = this.#refs.get(id) ?? [];
        if (refs.length === 0) return;
        const ref = refs[one.which % refs.length] as number;
        this.#model.demonitor(id, ref, one.isFlushing);
        return self.demonitor(ref as never, { flush: one.isFlushing });
      }
      case "trapExit":
        this.#model.at(id).isTrapping = one.isTrapping;
        self.trapExit = one.isTrapping;
        return;
      case "leave":
        this.#ending.set(id, REASONS[one.reason]);
        return self.exit(REASONS[one.reason]);
      case "crash":
        this.#ending.set(id, BOOM);
        this.#model.crashed++;
        throw BOOM;
      default:
    }
  }

  #send(from: Id, to: number, told: readonly Op[], self: Self | undefined): void {
    const target = this.#choose(to);
    const number = ++this.#number;
    const message: Told = { from, number, ops: told };
    const isInVain = self !== undefined && !this.#model.at(from).isAlive;
    if (isInVain) this.#model.fromEnded++;
    const isTaken = isInVain || this.#model.send(from, target, number);
    // By its name where it has one: the way there is the same.
    const [named] = this.#model.at(target).names;
    const address = named ?? (this.#pids[target] as Pid);
    const sender = self ?? this.#scene.processes;
    if (sender.send(address, message) !== isTaken) this.#wrong.push(`taken: ${!isTaken}`);
  }

  #refusal<T>(action: () => T, code: string | undefined): T | undefined {
    try {
      const value = action();
      if (code !== undefined) this.#wrong.push(`was not refused with ${code}`);
      return value;
    } catch (thrown) {
      const got = codeOf(thrown);
      if (got !== code) this.#wrong.push(`refused with ${got} instead of ${code}`);
      return undefined;
    }
  }

  // Comparison.

  #compare(): void {
    const { runtime, processes } = this.#scene;
    for (const [id, pid] of this.#pids.entries()) {
      const model = this.#model.at(id);
      const info = runtime.find(pid)?.info();
      const real = info && [
        info.trapExit,
        info.links.map((linked) => this.#idOf(linked)).toSorted((a, b) => a - b),
        info.monitors.map((target) => this.#idOf(target)),
        // One of them is the test itself.
        info.watchers,
        info.mailbox.messages,
        info.mailbox.held,
        info.mailbox.dropped,
        info.names.toSorted(),
      ];
      const wanted = model.isAlive
        ? [
            model.isTrapping,
            [...model.links].toSorted((a, b) => a - b),
            [...model.monitors.values()],
            this.#model.watchersOf(id) + 1 + this.#stopsOf(id),
            model.mailbox.length,
            model.held.length,
            model.dropped,
            [...model.names].toSorted(),
          ]
        : undefined;
      if (JSON.stringify(real) === JSON.stringify(wanted)) continue;
      this.#wrong.push(`${id} is ${JSON.stringify(real)} instead of ${JSON.stringify(wanted)}`);
    }
    for (const called of ["a", "b", "c"]) {
      const pid = processes.whereis(called);
      if ((pid && this.#idOf(pid)) === this.#model.names.get(called)) continue;
      this.#wrong.push(`'${called}' is ${String(pid)}`);
    }
  }

  /** Whoever stops a process waits for its end. */
  #stopsOf(id: Id): number {
    const { mailbox, held } = this.#model.at(id);
    return [...mailbox, ...held].filter(({ kind }) => kind === "stop").length;
  }

  #compareSettled(): void {
    const ended = this.#model.processes.filter(({ isAlive }) => !isAlive);
    expect(this.#reasons).toEqual(new Map(ended.map(({ id, reason: by }) => [id, by])));
    for (const { mailbox, held, receiving } of this.#model.processes) {
      if (receiving === undefined) expect([...mailbox, ...held]).toEqual([]);
    }
    const { counts } = this.#scene.runtime;
    const { crashed, toNobody, fromEnded } = this.#model;
    expect(this.#scene.crashes).toHaveLength(crashed);
    expect(counts).toMatchObject({ crashed, toNobody, fromEnded });
    expect(counts.spawned - counts.ended).toBe(this.#scene.runtime.size);
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof FoundationError ? thrown.code : String(thrown);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("processes do what OTP says, whatever they do to each other", {
  timeout: 20_000 + 50 * RUNS,
}, async () => {
  const seed = randomInt(1, 2 ** 31);
  process.stdout.write(`otp-model: seed ${seed}\n`);
  const property = fc.asyncProperty(bursts, async (program) => {
    vi.clearAllTimers(); // of a program that failed
    await new Twins().run(program);
  });
  await fc.assert(property, { numRuns: RUNS, seed });
});
