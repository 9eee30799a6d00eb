import type { Pid } from "../base/pid.ts";
import type { ProcessRuntime } from "./runtime.ts";

/** Who gives the credit of messages: their receiver as it handles them, or by its own word. */
export const CREDIT_MODES = Object.freeze(["creditBased", "manual"] as const);

/** Who gives the credit of messages. */
export type CreditMode = (typeof CREDIT_MODES)[number];

/**
 * What a sending isolate may have unhandled at a receiver that gives credit as it handles: enough
 * for a burst, and a mailbox of as many from each sender stays small. Unit: messages.
 */
export const CREDIT_MESSAGES = 64;

/** Accounts that are kept although nothing is under way. */
const IDLE_ACCOUNTS_MAX = 1_024;

/** Asks a receiver for credit. */
export type AskForCredit = (receiver: Pid, account: number, messages: number) => void;

/** What one isolate may send to one process. */
export class CreditAccount {
  readonly id: number;
  readonly receiver: Pid;
  readonly mode: CreditMode;
  readonly #ask: AskForCredit;
  #credit: number;
  #asked = 0;
  #isOver = false;
  #granted: Promise<void> | undefined;
  #wake: () => void = () => {};

  constructor(id: number, receiver: Pid, mode: CreditMode, ask: AskForCredit) {
    this.id = id;
    this.receiver = receiver;
    this.mode = mode;
    this.#ask = ask;
    this.#credit = mode === "creditBased" ? CREDIT_MESSAGES : 0;
  }

  /** Whether a message may go: there is credit, or nobody left to bound. */
  get maySend(): boolean {
    return this.#isOver || this.#credit > 0;
  }

  /** Whether nothing is under way by it. */
  get isIdle(): boolean {
    if (this.#isOver) return true;
    return this.mode === "manual"
      ? this.#credit === 0 && this.#asked === 0
      : this.#credit === CREDIT_MESSAGES;
  }

  /** A message was sent. */
  spend(): void {
    if (!this.#isOver) this.#credit--;
  }

  /** Resolves when there is credit; asks for what `waiting` messages need and was not asked for. */
  async granted(waiting: number): Promise<void> {
    if (this.maySend) return;
    if (this.mode === "manual" && waiting > this.#asked) {
      const messages = waiting - this.#asked;
      this.#asked = waiting;
      this.#ask(this.receiver, this.id, messages);
    }
    // What is asked for in this isolate may have been there.
    if (this.maySend) return;
    this.#granted ??= new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await this.#granted;
  }

  /** The receiver gives credit. */
  add(messages: number): void {
    this.#credit += messages;
    if (this.mode === "manual") this.#asked = Math.max(0, this.#asked - messages);
    else this.#credit = Math.min(this.#credit, CREDIT_MESSAGES);
    this.#wakeAll();
  }

  /** The receiver is gone: what is sent to it is lost, and need not wait for that. */
  end(): void {
    this.#isOver = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    this.#granted = undefined;
    this.#wake();
  }
}

/** The accounts of an isolate with those who give it credit. */
export class CreditAccounts {
  readonly #runtime: ProcessRuntime;
  readonly #ask: AskForCredit;
  readonly #accounts = new Map<number, { account: CreditAccount; close: () => void }>();
  readonly #ids = new Map<string, number>();
  #lastId = 0;

  constructor(runtime: ProcessRuntime, ask: AskForCredit) {
    this.#runtime = runtime;
    this.#ask = ask;
  }

  /** Accounts that are kept. */
  get size(): number {
    return this.#accounts.size;
  }

  /** The account of this isolate with a process, opened where there is none. */
  with(receiver: Pid, mode: CreditMode): CreditAccount {
    const key = `${receiver}${mode}`;
    const known = this.#accounts.get(this.#ids.get(key) ?? 0);
    if (known !== undefined) return known.account;
    this.#closeIdle();
    const account = new CreditAccount(++this.#lastId, receiver, mode, this.#ask);
    const stop = this.#runtime.watch(receiver, () => {
      this.#forget(account.id, key);
      account.end();
    });
    const close = (): void => {
      this.#forget(account.id, key);
      stop();
    };
    this.#accounts.set(account.id, { account, close });
    this.#ids.set(key, account.id);
    return account;
  }

  #forget(id: number, key: string): void {
    this.#accounts.delete(id);
    this.#ids.delete(key);
  }

  /** Makes room: what is under way keeps its account. */
  #closeIdle(): void {
    if (this.#accounts.size < IDLE_ACCOUNTS_MAX) return;
    for (const { account, close } of this.#accounts.values()) {
      if (account.isIdle) return close();
    }
  }

  /** Credit has come for an account. */
  add(id: number, messages: number): void {
    this.#accounts.get(id)?.account.add(messages);
  }
}
