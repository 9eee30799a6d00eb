import type { Home, Pid } from "../base/pid.ts";
import { CreditAccounts } from "./credit-accounts.ts";
import { CreditLedgers } from "./credit-ledgers.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessRuntime } from "./runtime.ts";
import { OP, type Op } from "./wire.ts";

/** Most messages that one signal asks or gives credit for. */
const CREDIT_MAX = 1 << 20;

/** The credit of an isolate's messages: what it may send, and what its processes let others. */
export class Credits {
  readonly accounts: CreditAccounts;
  readonly ledgers: CreditLedgers;
  readonly #home: Home;

  /** `signal` tells another isolate; `isStale`: whether its node has started anew since. */
  constructor(
    runtime: ProcessRuntime,
    signal: (to: Home, op: Op) => void,
    isStale: (home: Home) => boolean,
  ) {
    const { home } = runtime;
    this.#home = home;
    this.accounts = new CreditAccounts(runtime, (receiver, account, messages) => {
      const process = runtime.find(receiver);
      if (process !== undefined) return this.ledgers.want(process, { home, account }, messages);
      signal(receiver.home, [OP.want, ...placeOf(receiver), ...this.#place(account), messages]);
    });
    this.ledgers = new CreditLedgers(({ home: to, account }, messages) => {
      if (isHere(to, home)) this.accounts.add(account, messages);
      else signal(to, [OP.credit, account, to.generation, messages]);
    }, isStale);
  }

  /** What stands before a message that counts against an account of this isolate. */
  lead(to: Pid, account: number): Op {
    return [OP.credited, ...placeOf(to), ...this.#place(account)];
  }

  /** Another isolate wants to send to a process of this one. */
  onWant(
    process: LightProcess | undefined,
    home: Home | undefined,
    account: unknown,
    messages: unknown,
  ): undefined {
    if (process === undefined || home === undefined) return;
    if (isCount(account) && isCount(messages))
      this.ledgers.want(process, { home, account }, messages);
  }

  /** Another isolate lets this one send. */
  onCredit(account: unknown, generation: unknown, messages: unknown): undefined {
    if (generation !== this.#home.generation) return;
    if (isCount(account) && isCount(messages)) this.accounts.add(account, messages);
  }

  #place(account: number): readonly [string, number, number, number] {
    const { life, slot, generation } = this.#home;
    return [life, slot, generation, account];
  }
}

function placeOf({ serial, home }: Pid): readonly [number, number] {
  return [serial, home.generation];
}

function isHere(to: Home, home: Home): boolean {
  return to.node === home.node && to.slot === home.slot && to.generation === home.generation;
}

/** A number as another isolate may have made it up. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= CREDIT_MAX;
}
