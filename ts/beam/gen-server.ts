import { checkDelay } from "../base/option-checks.ts";
import type { Pid } from "../base/pid.ts";
import { type Delivery, type From, NO_REPLY } from "./envelope.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessBody, Self } from "./process-types.ts";
import { type ExitReason, isExit, Notice } from "./signals.ts";
import type { TimerRef } from "./timers.ts";

/** A class of servers, with the arguments of its `init`. */
export type GenServerClass<Args extends readonly unknown[] = readonly never[]> =
  new () => GenServer<Args>;

/**
 * A server process, as OTP's `gen_server`: one instance is one process, its fields are the state.
 * Callbacks run one at a time, also across `await`; what one throws ends the process.
 */
export abstract class GenServer<Args extends readonly unknown[] = readonly never[]> {
  /** Answer of {@link handleCall} that comes later through its {@link From}. */
  static readonly noReply: typeof NO_REPLY = NO_REPLY;
  #self: Self | undefined;
  #next: NextStep = {};

  /** The process that this server is. */
  protected get self(): Self {
    if (this.#self === undefined) throw new TypeError("a server has its process from `init` on");
    return this.#self;
  }

  /** Sets the server up. What it throws makes the start fail. */
  init(..._args: Args): unknown {
    return undefined;
  }

  /** Answers a call: with what it returns or resolves to, or later where that is `noReply`. */
  handleCall(request: unknown, _from: From): unknown {
    throw new TypeError(`${this.constructor.name} handles no calls: ${typeof request}`);
  }

  /** Takes a message of `cast`. */
  handleCast(message: unknown): unknown {
    throw new TypeError(`${this.constructor.name} handles no casts: ${typeof message}`);
  }

  /** Takes any other message: of `send`, `DOWN`, `EXIT`. */
  handleInfo(_message: unknown): unknown {
    return undefined;
  }

  /** Runs before any other message after {@link continueWith}. */
  handleContinue(_value: unknown): unknown {
    return undefined;
  }

  /** Runs when no message came within the time of {@link timeoutAfter}. */
  handleTimeout(): unknown {
    return undefined;
  }

  /** Runs at the end, unless the server is killed or ended by a signal that it does not trap. */
  terminate(_reason: ExitReason): unknown {
    return undefined;
  }

  /** Ends the server once the present callback is over; a call is still answered. */
  protected stop(reason: ExitReason = "normal"): void {
    this.#next.stop = { reason };
  }

  /** Has {@link handleContinue} run right after the present callback. */
  protected continueWith(value: unknown): void {
    this.#next.continuation = { value };
  }

  /**
   * Has {@link handleTimeout} run if no message comes within that time. Unit: ms, 2^31 - 1 at most.
   *
   * @throws FoundationError `invalid_options`
   */
  protected timeoutAfter(timeoutMs: number): void {
    this.#next.timeoutMs = checkDelay("timeoutMs", timeoutMs);
  }

  /** For the process of the server. */
  static attach(server: GenServer<never>, self: Self): void {
    server.#self = self;
  }

  /** What the callback that has just run asked for. For the process of the server. */
  static takeNext(server: GenServer<never>): NextStep {
    const next = server.#next;
    if (
      next.stop !== undefined ||
      next.continuation !== undefined ||
      next.timeoutMs !== undefined
    ) {
      server.#next = {};
    }
    return next;
  }
}

interface NextStep {
  stop?: { readonly reason: ExitReason };
  continuation?: { readonly value: unknown };
  timeoutMs?: number;
}

/** Whether something that can be started is a class of servers. */
export function isGenServerClass(value: unknown): value is GenServerClass {
  return typeof value === "function" && value.prototype instanceof GenServer;
}

/** Told to a server whose time is over, unless a message came first. */
class Timeout extends Notice {}

/** The process of one server. */
export class GenServerBody implements ProcessBody<unknown> {
  readonly #server: GenServer<readonly unknown[]>;
  readonly #args: readonly unknown[];
  readonly #parent: Pid | undefined;
  #timer: TimerRef | undefined;
  #timeout: Timeout | undefined;

  /** `parent`: the linked process whose end is the server's too, although it traps exits. */
  constructor(server: GenServer<never>, args: readonly unknown[], parent: Pid | undefined) {
    this.#server = server as GenServer<readonly unknown[]>;
    this.#args = args;
    this.#parent = parent;
  }

  init(self: Self): unknown {
    GenServer.attach(this.#server as GenServer<never>, self);
    return this.#after(this.#server.init(...this.#args), self, undefined);
  }

  handle(message: unknown, self: Self, delivery: Delivery): unknown {
    if (message instanceof Timeout) {
      if (message !== this.#timeout) return undefined;
      this.#timeout = undefined;
      return this.#after(this.#server.handleTimeout(), self, undefined);
    }
    if (this.#timer !== undefined) this.#stopTimer();
    switch (delivery.kind) {
      case "call": {
        const from = delivery.from as From;
        return this.#after(this.#server.handleCall(message, from), self, from);
      }
      case "cast":
        return this.#after(this.#server.handleCast(message), self, undefined);
      case "send":
        if (this.#parent !== undefined && isExit(message) && message.from.equals(this.#parent)) {
          return self.exit(message.reason);
        }
        return this.#after(this.#server.handleInfo(message), self, undefined);
      default:
        return delivery.kind satisfies never;
    }
  }

  terminate(reason: ExitReason): unknown {
    if (this.#timer !== undefined) this.#stopTimer();
    return this.#server.terminate(reason);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timeout = undefined;
  }

  /** What a callback asked for happens when its promise has settled. */
  #after(result: unknown, self: Self, from: From | undefined): unknown {
    if (result instanceof Promise) {
      return result.then((value: unknown) => this.#follow(value, self, from));
    }
    return this.#follow(result, self, from);
  }

  #follow(value: unknown, self: Self, from: From | undefined): unknown {
    const { stop, continuation, timeoutMs } = GenServer.takeNext(this.#server as GenServer<never>);
    if (timeoutMs !== undefined) {
      const timeout = new Timeout();
      this.#timeout = timeout;
      this.#timer = (self as LightProcess).noticeAfter(timeoutMs, timeout);
    }
    if (stop === undefined && continuation === undefined) return value;
    if (from !== undefined && value !== NO_REPLY) from.reply(value);
    if (stop !== undefined) self.exit(stop.reason);
    const next = this.#after(this.#server.handleContinue(continuation?.value), self, undefined);
    // The call, if it was one, is answered already.
    return next instanceof Promise ? next.then(() => NO_REPLY) : NO_REPLY;
  }
}
