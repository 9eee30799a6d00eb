import { FoundationError } from "../base/errors.ts";
import { isThenable } from "../base/thenable.ts";
import { raise } from "../base/typed-events.ts";
import type { Calls } from "./calls.ts";
import { type Handlers, type MessageContext, toWireError } from "./handlers.ts";
import type { LocalMailbox } from "./local-mailbox.ts";
import type { CallPlace } from "./transmitter.ts";

/**
 * Messages of an isolate to its own names: passed by reference, run after the present code, in
 * order.
 */
export class LocalDelivery {
  readonly #node: string;
  readonly #mailbox: LocalMailbox;
  readonly #handlers: Handlers;
  readonly #calls: Calls;

  constructor(node: string, mailbox: LocalMailbox, handlers: Handlers, calls: Calls) {
    this.#node = node;
    this.#mailbox = mailbox;
    this.#handlers = handlers;
    this.#calls = calls;
  }

  /** Queues a message; false where too many wait. */
  push(
    name: number,
    text: string,
    channel: string,
    value: unknown,
    call: CallPlace | undefined,
  ): boolean {
    const context: MessageContext = {
      from: this.#node,
      channel,
      name: text,
      isCall: call !== undefined,
    };
    return this.#mailbox.push(() => this.#run(name, value, context, call?.correlation));
  }

  #run(
    name: number,
    value: unknown,
    context: MessageContext,
    correlation: number | undefined,
  ): void {
    const registration = this.#handlers.get(name);
    if (registration === undefined) {
      const error = new FoundationError("noproc", `nobody handles '${context.name}'`);
      if (correlation !== undefined) this.#calls.reject(correlation, error);
      return;
    }
    const fail = (thrown: unknown): void => {
      if (correlation === undefined) return raise(thrown);
      const { code, message } = toWireError(thrown);
      const options = { cause: thrown, context: { code } };
      this.#calls.reject(correlation, new FoundationError("handler_failed", message, options));
    };
    const succeed = (answer: unknown): void => {
      if (correlation !== undefined) this.#calls.resolve(correlation, answer);
    };
    try {
      const result = registration.run(value, context);
      if (isThenable(result)) result.then(succeed, fail);
      else succeed(result);
    } catch (thrown) {
      fail(thrown);
    }
  }
}
