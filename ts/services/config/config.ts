import { FoundationError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import { errorFromRecord } from "../errors/json.ts";
import type { ServiceSlot } from "../service-slot.ts";
import type { ConfigCore, ResetTo } from "./config-core.ts";
import { type ConfigDiff, diffConfigs } from "./config-logic.ts";
import { canonicalPath } from "./config-paths.ts";
import type { ConfigStatus, FoundationConfig, PathValue } from "./config-types.ts";
import { validateConfig } from "./config-validator.ts";
import type { ConfigReceipt, ConfigRequest } from "./config-wire.ts";
import { redact } from "./redaction.ts";
import type { ConfigSubscriber } from "./subscribers.ts";

/** Paths that `safeUpdate` refuses, whatever can be changed. */
const FORBIDDEN: readonly (readonly string[])[] = [
  ["ai", "apiKey"],
  ["storage", "encryptionKey"],
  ["security"],
  ["system", "nodeName"],
];

/** How a configuration is reset. */
export interface ResetOptions {
  /**
   * `defaults`: what nobody configured, as in Foundation 1.x; `initial`: what the sources said at
   * the start. A section of the user's own whose schema asks for more than nothing is always what
   * the sources said. Unit: word. Default: defaults.
   */
  readonly to?: ResetTo;
}

/** Which changes a subscriber is told of. */
export interface SubscribeOptions {
  /** Only changes at or below it. Unit: path. Default: all changes. */
  readonly path?: readonly string[];
}

/** The authority of a node's configuration, as another isolate reaches it. */
export interface ConfigAsker {
  ask(request: ConfigRequest): Promise<ConfigReceipt>;
}

/**
 * The configuration of a node. Reading is synchronous in every isolate; `update` and `reset` are
 * in the isolate that has started the node, `change` and `restore` anywhere.
 */
export class Config {
  readonly #slot: ServiceSlot<ConfigCore>;
  readonly #authority: ConfigAsker | undefined;

  /** `authority`: that of another isolate. Default: the core in the slot. */
  constructor(slot: ServiceSlot<ConfigCore>, authority?: ConfigAsker) {
    this.#slot = slot;
    this.#authority = authority;
  }

  /**
   * Does nothing where the service is running, as it is in every node.
   *
   * @throws FoundationError `service_unavailable` (5000) where it is not
   */
  initialize(): void {
    if (!this.available()) void this.#slot.core;
  }

  /**
   * What lies at a path, in camelCase or snake_case; the whole configuration without one. `null`
   * and `false` are found. While the service is being restarted, what it held last.
   *
   * @throws FoundationError `config_path_not_found`, `security_violation` (1000),
   *   `service_unavailable` (5000)
   */
  get(): FoundationConfig;
  get<const Path extends readonly string[]>(path: Path): PathValue<FoundationConfig, Path>;
  get(path: readonly string[] = []): unknown {
    return this.#readable.get(path);
  }

  /** What lies at a path, or `otherwise` where reading it fails for any reason. */
  getWithDefault<const Path extends readonly string[], Otherwise>(
    path: Path,
    otherwise: Otherwise,
  ): PathValue<FoundationConfig, Path> | Otherwise {
    try {
      return this.get(path);
    } catch {
      return otherwise;
    }
  }

  /**
   * Changes a setting. Looks in this order: path, value, whether it can be changed, whether the
   * configuration is valid with it. Afterwards, in this order: subscribers are told, the event
   * `config_updated` is stored, the counter `foundation.config_updates` grows. What follows from a
   * change that a subscriber makes comes behind what follows from the one that it was told of.
   *
   * @throws FoundationError `security_violation` (1000 path, 1005 value),
   *   `config_update_forbidden` with `allowedPaths`, what `validate` throws, `service_unavailable`,
   *   `not_root_isolate`, `resource_exhausted` where subscribers answer a change with 1,000 others
   */
  update(path: readonly string[], value: unknown): void {
    this.#checkHere("change");
    this.#slot.core.update(path, value);
  }

  /**
   * As `update`, in any isolate of the node; afterwards the setting can be read here.
   *
   * @throws FoundationError as `update`, and what `call` throws
   */
  async change(path: readonly string[], value: unknown): Promise<void> {
    if (this.#authority === undefined) return this.update(path, value);
    await this.#ask({ op: "update", path, value });
  }

  /** As `reset`, in any isolate of the node. */
  async restore({ to = "defaults" }: ResetOptions = {}): Promise<void> {
    if (this.#authority === undefined) return this.reset({ to });
    await this.#ask({ op: "reset", to });
  }

  /**
   * As `update`, and refuses what is nobody's to change.
   *
   * @throws FoundationError `invalid_path`, `config_update_forbidden` (1401), and as `update`
   */
  safeUpdate(path: readonly string[], value: unknown): void {
    if (!Array.isArray(path) || path.length === 0) {
      throw new FoundationError("invalid_path", "a path is a list of at least one name");
    }
    const wanted = canonicalPath(path.map(String));
    if (FORBIDDEN.some((refused) => refused.every((key, index) => wanted[index] === key))) {
      const text = `${wanted.join(".")} is nobody's to change`;
      throw new FoundationError("config_update_forbidden", text, { context: { path } });
    }
    this.update(path, value);
  }

  /**
   * Checks a configuration without using it.
   *
   * @throws FoundationError `validation_failed` (1001), `invalid_config_value` (1002),
   *   `constraint_violation` (1003), `range_error` (1004), `invalid_config_structure` (1101),
   *   `missing_required_field` (1102)
   */
  validate(config: unknown): asserts config is FoundationConfig {
    validateConfig(config);
  }

  /** Paths that can be changed while the program runs, in camelCase. */
  updatablePaths(): readonly (readonly string[])[] {
    return this.#slot.core.updatablePaths();
  }

  /**
   * Goes back to a configuration without changes; counters stay. Subscribers are told
   * (`config_reset`), the event `config_reset` is stored, `foundation.config_resets` grows.
   *
   * @throws FoundationError `service_unavailable`, `not_root_isolate`
   */
  reset({ to = "defaults" }: ResetOptions = {}): void {
    this.#checkHere("restore");
    this.#slot.core.reset(to);
  }

  /**
   * Calls a function at every change, or sends a process `CONFIG_NOTIFICATION` messages, until the
   * returned function is called or the process ends. The newest subscriber is told first, each at
   * most once a change.
   *
   * @throws FoundationError `security_violation`, `service_unavailable`
   */
  subscribe(subscriber: ConfigSubscriber, { path = [] }: SubscribeOptions = {}): Unsubscribe {
    return this.#slot.core.subscribe(subscriber, path);
  }

  /** Ends a subscription; false where there was none. */
  unsubscribe(subscriber: ConfigSubscriber): boolean {
    return this.#slot.core.unsubscribe(subscriber);
  }

  /** Differences of the present configuration to another one; secrets are not shown. */
  diff(other: FoundationConfig): ConfigDiff {
    return diffConfigs({ ...this.get() }, { ...other });
  }

  /** Figures of the service. */
  status(): ConfigStatus {
    return this.#slot.core.status();
  }

  /** Whether the service is running. */
  available(): boolean {
    return this.#slot.isUp;
  }

  /**
   * Forgets changes, counters and subscribers: for tests.
   *
   * @throws FoundationError `operation_forbidden` (5002) outside of `testMode`
   */
  resetState(): void {
    this.#slot.core.resetState();
  }

  /** The configuration without its secrets: what `JSON.stringify` shows. */
  toJSON(): unknown {
    return redact(this.get());
  }

  /** The same for `console.log` and `util.inspect`. */
  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    const isReadable = this.#slot.isUp || this.#slot.last !== undefined;
    return isReadable ? this.toJSON() : { status: "unavailable" };
  }

  async #ask(request: ConfigRequest): Promise<void> {
    const { config, error } = await (this.#authority as ConfigAsker).ask(request);
    if (error !== undefined) throw errorFromRecord(error);
    // The news of it may still be under way; what was changed can be read from here on.
    this.#slot.core.replace(config, undefined);
  }

  #checkHere(instead: string): void {
    if (this.#authority === undefined) return;
    const text = `settings are changed by the isolate that started the node: use \`${instead}\``;
    throw new FoundationError("not_root_isolate", text);
  }

  // Reading goes on while the service is being restarted: what it held cannot have changed.
  get #readable(): ConfigCore {
    return this.#slot.held;
  }
}
