import { type ErrorFacts, FoundationError } from "../base/errors.ts";

/** What a service is made of: plain state with synchronous calls, held by one process. */
export interface ServiceCore {
  /** Lets go of timers and files, at an orderly end and when its isolate lets go of the node. */
  close?(): void;
  /** Does nothing more by itself: its process is gone, and another one may take over. */
  stop?(): void;
}

/**
 * The place of a service in an isolate. Its process puts the core here while it is alive; callers
 * find it here without a message, so that a read costs a property and not a promise.
 */
export class ServiceSlot<Core extends ServiceCore> {
  /** Name of the service, for errors. */
  readonly name: string;
  readonly #numericCode: number;
  #core: Core | undefined;
  #last: Core | undefined;
  #starts = 0;

  /** `numericCode`: that of `service_unavailable` for this service. */
  constructor(name: string, numericCode: number) {
    this.name = name;
    this.#numericCode = numericCode;
  }

  /** Whether the process of the service is alive. */
  get isUp(): boolean {
    return this.#core !== undefined;
  }

  /** How often the service was started again. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** What the process before the present one held; state that a restart may take over. */
  get last(): Core | undefined {
    return this.#last;
  }

  /**
   * The core of the service.
   *
   * @throws FoundationError `service_unavailable` while its process is not alive
   */
  get core(): Core {
    if (this.#core !== undefined) return this.#core;
    throw new FoundationError("service_unavailable", `the service '${this.name}' is not running`, {
      numericCode: this.#numericCode,
      context: { service: this.name },
    });
  }

  /** The core of the service, or while its process is being restarted the last; else undefined. */
  get present(): Core | undefined {
    return this.isUp ? this.core : this.last;
  }

  /**
   * The core to read from, as {@link present}.
   *
   * @throws FoundationError `service_unavailable` where there is none
   */
  get held(): Core {
    return this.present ?? this.core;
  }

  /** Its process has started. */
  install(core: Core): void {
    this.#core = core;
    this.#starts += 1;
  }

  /** The service does not come back: what it holds open goes, and so does what it held. */
  close(): void {
    const core = this.#core ?? this.#last;
    this.#core = undefined;
    this.#last = undefined;
    core?.close?.();
  }

  /** Its process is gone; another core that came in the meantime stays. */
  remove(core: Core): void {
    if (this.#core !== core) return;
    this.#last = core;
    this.#core = undefined;
    core.stop?.();
  }
}

/** Where a service may be that is not known beforehand, and what to say where it is not. */
export interface SlotSearch<Core extends ServiceCore> {
  readonly find: () => ServiceSlot<Core> | undefined;
  /** What to say where there is none. */
  readonly text: string;
  readonly context: ErrorFacts;
}

/** The place of a service that is looked for at every call, e.g. by a namespace. */
export class FoundSlot<Core extends ServiceCore> extends ServiceSlot<Core> {
  readonly #code: number;
  readonly #search: SlotSearch<Core>;

  constructor(name: string, numericCode: number, search: SlotSearch<Core>) {
    super(name, numericCode);
    this.#code = numericCode;
    this.#search = search;
  }

  override get isUp(): boolean {
    return this.#search.find()?.isUp ?? false;
  }

  override get restarts(): number {
    return this.#search.find()?.restarts ?? 0;
  }

  override get last(): Core | undefined {
    return this.#search.find()?.last;
  }

  override get core(): Core {
    const { find, text, context } = this.#search;
    const slot = find();
    if (slot !== undefined) return slot.core;
    throw new FoundationError("service_unavailable", text, {
      numericCode: this.#code,
      context: { service: this.name, ...context },
    });
  }
}
