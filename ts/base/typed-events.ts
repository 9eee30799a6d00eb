import { checkKind } from "./option-checks.ts";

/** Stops a listener. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** Events by name, each with one argument, called in the order of subscription. */
export class TypedEvents<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /**
   * Calls `listener` at every event of that name until the returned function is called.
   *
   * @throws FoundationError `invalid_options` for what is no function
   */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): Unsubscribe {
    checkKind(`the listener of ${String(name)}`, typeof listener === "function", "a function");
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // A wrapper of its own, so that one function subscribed twice is called twice and stopped once.
    const entry = (event: Events[Name]): void => listener(event);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
    };
  }

  /** Whether anybody listens to events of a name. */
  isHeard(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  /** Calls the listeners. One that throws does not keep the others from being called. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        (listener as (event: Events[Name]) => void)(event);
      } catch (thrown) {
        raise(thrown);
      }
    }
  }
}

/** Raises an error outside the present call, once, where `uncaughtException` sees it. */
export function raise(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}
