import { FoundationError } from "../../base/errors.ts";
import { HOOKS } from "../../base/hooks.ts";
import { isThenable } from "../../base/thenable.ts";
import type { Measurements, Metadata, TelemetryName } from "../sinks.ts";
import type { TelemetryHandler } from "./telemetry-types.ts";

const HANDLERS_MAX = 1_024;

interface Attached {
  readonly id: string;
  readonly handler: TelemetryHandler;
  readonly config: unknown;
  readonly keys: readonly string[];
}

/** Handlers by the names that they are attached to. */
export class Handlers {
  readonly #byId = new Map<string, Attached>();
  readonly #byName = new Map<string, Set<Attached>>();
  /** Handlers that threw or rejected; each was detached. */
  failures = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** Whether anybody wants to be told of any event. */
  get areWanted(): boolean {
    return this.#byName.size > 0 || HOOKS.telemetry.hasSubscribers;
  }

  /** @throws FoundationError `invalid_argument` where the id is taken, or there are too many */
  attach(
    id: string,
    names: readonly TelemetryName[],
    handler: TelemetryHandler,
    config: unknown,
  ): void {
    if (this.#byId.has(id)) throw refused(`a handler '${id}' is attached already`);
    if (this.#byId.size >= HANDLERS_MAX) throw refused(`at most ${HANDLERS_MAX} handlers`);
    const attached = { id, handler, config, keys: names.map(keyOf) };
    this.#byId.set(id, attached);
    for (const key of attached.keys) {
      const handlers = this.#byName.get(key) ?? new Set();
      this.#byName.set(key, handlers.add(attached));
    }
  }

  /** Takes a handler away; false where it was not there. */
  detach(id: string): boolean {
    const attached = this.#byId.get(id);
    if (attached === undefined) return false;
    this.#byId.delete(id);
    for (const key of attached.keys) {
      const handlers = this.#byName.get(key);
      handlers?.delete(attached);
      if (handlers?.size === 0) this.#byName.delete(key);
    }
    return true;
  }

  /**
   * Calls the handlers of a name. One that throws or rejects is detached, as its event is nobody's
   * fault.
   */
  dispatch(name: TelemetryName, measurements: Measurements, metadata: Metadata): void {
    if (HOOKS.telemetry.hasSubscribers) {
      HOOKS.telemetry.publish({ name, measurements, metadata });
    }
    if (this.#byName.size === 0) return;
    for (const attached of [...(this.#byName.get(keyOf(name)) ?? [])]) {
      try {
        const result = attached.handler(name, measurements, metadata, attached.config);
        if (isThenable(result)) void Promise.resolve(result).catch(() => this.#fail(attached));
      } catch {
        this.#fail(attached);
      }
    }
  }

  // Who failed already, or is attached no more, is not counted: his id may be another one's by now.
  #fail(attached: Attached): void {
    if (this.#byId.get(attached.id) !== attached) return;
    this.failures += 1;
    this.detach(attached.id);
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
    this.failures = 0;
  }
}

function keyOf(name: TelemetryName): string {
  return name.join("\u0000");
}

function refused(message: string): FoundationError {
  return new FoundationError("invalid_argument", message);
}
