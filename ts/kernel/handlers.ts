import { FoundationError } from "../base/errors.ts";
import { thrownText } from "../base/thrown-text.ts";

/** What a handler knows of a message besides its value. */
export interface MessageContext {
  /** Name of the sending node. */
  readonly from: string;
  /** Channel it came on. */
  readonly channel: string;
  /** Name it was sent to. */
  readonly name: string;
  /** Whether the sender waits for an answer. */
  readonly isCall: boolean;
}

/**
 * Takes messages of a name. What it returns, or resolves to, answers a call. Its credit goes back
 * to the sender when it has returned or its promise has settled, so unfinished work bounds what
 * peers can send.
 */
export type Handler = (message: never, context: MessageContext) => unknown;

/** How a handler takes messages. Defaults: {@link HANDLE_DEFAULTS}. */
export interface HandleOptions {
  /**
   * `copy`: bytes are private memory. `view`: bytes are valid until the handler returns, which has
   * to be synchronous. `held`: bytes above 16 KiB are a view on a slab that stays until `release`,
   * or until that very array is collected; keep the array itself: a `subarray` of it keeps nothing.
   */
  readonly bytes?: "copy" | "view" | "held";
}

/** How a handler takes messages unless it says otherwise. */
export const HANDLE_DEFAULTS: Required<HandleOptions> = Object.freeze({
  bytes: "copy", // safe across `await` and for every part of it; a view is neither
});

/** A handler with its name, as it is called for a message. */
export interface Registration {
  readonly name: string;
  readonly run: (message: unknown, context: MessageContext) => unknown;
  readonly bytes: Required<HandleOptions>["bytes"];
}

/** The handlers of an isolate by name number. */
export class Handlers {
  readonly #byId: (Registration | undefined)[] = [];

  /** Adds a handler; one name has one in an isolate. */
  add(id: number, registration: Registration): void {
    if (this.#byId[id] !== undefined) {
      throw new FoundationError("name_taken", `'${registration.name}' has a handler already`);
    }
    this.#byId[id] = registration;
  }

  /** Removes a handler, if it is still that one. */
  remove(id: number, registration: Registration): boolean {
    if (this.#byId[id] !== registration) return false;
    this.#byId[id] = undefined;
    return true;
  }

  /** The handler of a name. */
  get(id: number): Registration | undefined {
    return this.#byId[id];
  }
}

/** An error as it travels in an error reply. */
export interface WireError {
  readonly code: string;
  readonly message: string;
}

/** What is told to the caller of a handler that failed: its message, never its stack. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof FoundationError) return { code: thrown.code, message: thrown.message };
  return {
    code: "handler_failed",
    message: thrownText(thrown),
  };
}

/** The error a caller gets for an error reply. */
export function fromWireError(value: unknown, target: string): FoundationError {
  const wire = value as Partial<WireError> | null;
  const code = typeof wire?.code === "string" ? wire.code : "handler_failed";
  const message = typeof wire?.message === "string" ? wire.message : "the handler failed";
  return new FoundationError("handler_failed", `${target}: ${message}`, { context: { code } });
}
