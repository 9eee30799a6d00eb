import { Pid } from "../../base/pid.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import { canonicalPath } from "./config-paths.ts";
import type { ConfigNotification } from "./config-types.ts";

/** Who is told of changes: a function, or a process that gets `CONFIG_NOTIFICATION` messages. */
export type ConfigSubscriber = ((notification: ConfigNotification) => unknown) | Pid;

/** What a process that subscribed receives. */
export interface ConfigMessage {
  readonly kind: "CONFIG_NOTIFICATION";
  readonly notification: ConfigNotification;
}

/** How processes are told, and found to have ended. */
export interface SubscriberHost {
  send(pid: Pid, message: ConfigMessage): unknown;
  monitor(pid: Pid, onDown: () => void): Unsubscribe;
}

interface Subscription {
  readonly subscriber: ConfigSubscriber;
  /** Only changes at or below this path; all where it is empty. */
  readonly path: readonly string[];
  readonly release: Unsubscribe;
}

/** Those who are told of changes, the newest first; each at most once a change. */
export class Subscribers {
  readonly #host: SubscriberHost | undefined;
  readonly #all = new Map<unknown, Subscription>();
  /** Calls that threw or rejected. */
  failures = 0;

  /** `host`: where processes may subscribe. */
  constructor(host: SubscriberHost | undefined) {
    this.#host = host;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Adds one; who is there already gets the new path. */
  add(subscriber: ConfigSubscriber, path: readonly string[]): Unsubscribe {
    this.remove(subscriber);
    const key = keyOf(subscriber);
    const release =
      subscriber instanceof Pid && this.#host !== undefined
        ? this.#host.monitor(subscriber, () => void this.#all.delete(key))
        : (): void => {};
    this.#all.set(key, { subscriber, path: canonicalPath(path), release });
    return () => void this.remove(subscriber);
  }

  /** Takes one away; false where it was not there. */
  remove(subscriber: ConfigSubscriber): boolean {
    const key = keyOf(subscriber);
    this.#all.get(key)?.release();
    return this.#all.delete(key);
  }

  /**
   * Tells everybody. What one throws or rejects with is counted, and the others are told all the
   * same.
   */
  notify(notification: ConfigNotification): void {
    const fail = (): void => {
      this.failures += 1;
    };
    for (const { subscriber, path } of [...this.#all.values()].reverse()) {
      if (!concerns(notification, path)) continue;
      try {
        if (subscriber instanceof Pid) {
          this.#host?.send(subscriber, { kind: "CONFIG_NOTIFICATION", notification });
          continue;
        }
        const result = subscriber(notification);
        if (isThenable(result)) void Promise.resolve(result).catch(fail);
      } catch {
        fail();
      }
    }
  }

  clear(): void {
    for (const { release } of this.#all.values()) release();
    this.#all.clear();
  }
}

function keyOf(subscriber: ConfigSubscriber): unknown {
  return subscriber instanceof Pid ? subscriber.toString() : subscriber;
}

function concerns(notification: ConfigNotification, path: readonly string[]): boolean {
  if (notification.kind === "config_reset") return true;
  return path.every((key, index) => notification.path[index] === key);
}
