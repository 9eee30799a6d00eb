import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { attempt, FoundationError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { ServiceCore } from "../service-slot.ts";
import { NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import { type PlainObject, putNested } from "../toolkit/nested.ts";
import { Aftermath } from "./aftermath.ts";
import { DEFAULT_CONFIG, UPDATABLE_PATHS } from "./config-defaults.ts";
import { buildConfig, forbidden, getConfigValue, isUpdatablePath } from "./config-logic.ts";
import { canonicalPath, checkPath } from "./config-paths.ts";
import type { ConfigNotification, ConfigStatus, FoundationConfig } from "./config-types.ts";
import { SECTIONS, type SectionName, validateConfig, validateSection } from "./config-validator.ts";
import { checkValue, frozenCopy } from "./config-values.ts";
import { redact, redactAt } from "./redaction.ts";
import { parseSection, type StandardSchema } from "./standard-schema.ts";
import { type ConfigSubscriber, type SubscriberHost, Subscribers } from "./subscribers.ts";

/** Takes down what happened; the event store is one. */
export interface ConfigEvents {
  record(type: string, data: PlainObject): void;
}

/** What a configuration service works with. */
export interface ConfigParts {
  /** What all sources say, over the defaults. */
  readonly initial?: PlainObject;
  /** Schemas of sections of the user's own. */
  readonly schemas?: Readonly<Record<string, StandardSchema>>;
  /** Further paths that can be changed while the program runs. */
  readonly updatable?: readonly (readonly string[])[];
  readonly host?: SubscriberHost | undefined;
  readonly events?: ConfigEvents | undefined;
  readonly telemetry?: TelemetrySink | undefined;
  readonly clock?: Clock | undefined;
  /** Whether `resetState` works. */
  readonly testMode?: boolean | undefined;
}

/** Which configuration `reset` goes back to. */
export type ResetTo = "defaults" | "initial";

/** The configuration of a node: what it is, who is told of changes, how often it changed. */
export class ConfigCore implements ServiceCore {
  readonly #parts: ConfigParts;
  readonly #clock: Clock;
  readonly #telemetry: TelemetrySink;
  readonly #initial: FoundationConfig;
  readonly #startMs: number;
  #subscribers: Subscribers;
  #aftermath = new Aftermath();
  #config: FoundationConfig;
  #updates = 0;
  #lastUpdate: number | undefined;

  /** @throws FoundationError as `validateConfig` */
  constructor(parts: ConfigParts = {}) {
    this.#parts = parts;
    this.#clock = parts.clock ?? SYSTEM_CLOCK;
    this.#telemetry = parts.telemetry ?? NO_TELEMETRY;
    this.#subscribers = new Subscribers(parts.host);
    this.#startMs = this.#clock.now();
    this.#initial = this.#checked(buildConfig(parts.initial ?? {}) as unknown as PlainObject);
    this.#config = this.#initial;
  }

  /**
   * Takes over what the core before had: values, counters and subscribers, which can go on ending
   * their subscriptions; they are gone where it was closed in order.
   */
  adopt(last: ConfigCore): void {
    this.#config = last.#config;
    this.#updates = last.#updates;
    this.#lastUpdate = last.#lastUpdate;
    this.#subscribers = last.#subscribers;
    this.#aftermath = last.#aftermath;
  }

  /** Becomes a copy of the authority's, and tells the subscribers of this isolate. */
  replace(config: FoundationConfig, notification: ConfigNotification | undefined): void {
    this.#config = frozenCopy(config);
    this.#updates += notification?.kind === "config_updated" ? 1 : 0;
    this.#lastUpdate = this.#clock.wallNow();
    if (notification !== undefined) this.#subscribers.notify(notification);
  }

  /** The whole configuration; frozen. */
  get config(): FoundationConfig {
    return this.#config;
  }

  /** See `Config.get`. */
  get(path: readonly string[]): unknown {
    // The way of a path that is right, without a look at what could be wrong with it.
    let at: unknown = this.#config;
    for (let index = 0; index < path.length; index++) {
      const key = path[index] as string;
      // What is no text would be made one on the way.
      if (typeof key !== "string" || typeof at !== "object" || at === null) return this.#find(path);
      if (!Object.hasOwn(at, key)) return this.#find(path);
      at = (at as PlainObject)[key];
    }
    return at;
  }

  #find(path: readonly string[]): unknown {
    checkPath(path);
    return getConfigValue(plain(this.#config), path);
  }

  /** See `Config.update`. */
  update(path: readonly string[], value: unknown): void {
    checkPath(path);
    checkValue(value);
    const allowed = this.#parts.updatable ?? [];
    if (!isUpdatablePath(path, allowed)) throw forbidden(path, this.updatablePaths());
    this.#aftermath.checkRoom();
    const at = canonicalPath(path);
    const previousValue = getConfigValue(plain(this.#config), at);
    this.#config = this.#changed(at, value);
    this.#updates += 1;
    const timestamp = this.#clock.wallNow();
    this.#lastUpdate = timestamp;
    const [shown, before] = [redactAt(at, value), redactAt(at, previousValue)];
    const news = { path: at, value: shown, previousValue: before };
    const data = { path: at, newValue: shown, previousValue: before, timestamp };
    this.#aftermath.run(() => {
      this.#subscribers.notify({ kind: "config_updated", ...news });
      this.#record("config_updated", data);
      this.#count("config_updates", { path: at });
    });
  }

  /** See `Config.reset`. */
  reset(to: ResetTo): void {
    this.#aftermath.checkRoom();
    this.#config = to === "initial" ? this.#initial : this.#defaults();
    const config = redact(this.#config) as FoundationConfig;
    const timestamp = this.#clock.wallNow();
    const data = { timestamp, resetFromUpdatesCount: this.#updates };
    this.#aftermath.run(() => {
      this.#subscribers.notify({ kind: "config_reset", config });
      this.#record("config_reset", data);
      this.#count("config_resets", { to });
    });
  }

  /** See `Config.resetState`. */
  resetState(): void {
    if (this.#parts.testMode !== true) {
      const text = "the state can be reset in a node that was started with `testMode: true`";
      throw new FoundationError("operation_forbidden", text, { numericCode: 5002 });
    }
    this.#config = this.#initial;
    this.#updates = 0;
    this.#lastUpdate = undefined;
    this.#subscribers.clear();
  }

  subscribe(subscriber: ConfigSubscriber, path: readonly string[]): Unsubscribe {
    checkPath(path);
    return this.#subscribers.add(subscriber, path);
  }

  unsubscribe(subscriber: ConfigSubscriber): boolean {
    return this.#subscribers.remove(subscriber);
  }

  updatablePaths(): readonly (readonly string[])[] {
    return [...UPDATABLE_PATHS, ...(this.#parts.updatable ?? [])];
  }

  status(): ConfigStatus {
    return {
      status: "running",
      uptimeMs: this.#clock.now() - this.#startMs,
      updatesCount: this.#updates,
      lastUpdate: this.#lastUpdate,
      subscribersCount: this.#subscribers.size,
      subscriberFailures: this.#subscribers.failures,
    };
  }

  close(): void {
    this.#subscribers.clear();
  }

  // Only one section changes, and all others stay the very objects that they were.
  #changed(path: readonly string[], value: unknown): FoundationConfig {
    const [name = ""] = path;
    const next = putNested(plain(this.#config), path, value);
    const schema = this.#parts.schemas?.[name];
    if (schema === undefined) validateSection(name as SectionName, next[name]);
    else next[name] = parseSection(name, schema, next[name]);
    next[name] = frozenCopy(next[name]);
    return Object.freeze(next) as unknown as FoundationConfig;
  }

  // Sections of the user's own are what their schemas make of them; one that nobody declared is
  // refused, since a misspelt section would be without effect.
  #checked(config: PlainObject): FoundationConfig {
    validateConfig(config);
    const schemas = this.#parts.schemas ?? {};
    const own: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(schemas)) {
      own[name] = parseSection(name, schema, config[name] === undefined ? {} : config[name]);
    }
    for (const name of Object.keys(config)) {
      if ((SECTIONS as readonly string[]).includes(name) || Object.hasOwn(schemas, name)) continue;
      const text = `there is no section '${name}'; give its schema in \`schemas\``;
      const options = { numericCode: 1001, context: { path: [name] } };
      throw new FoundationError("validation_failed", text, options);
    }
    return frozenCopy({ ...config, ...own }) as unknown as FoundationConfig;
  }

  // A section of the user's own that has no defaults is what the sources said.
  #defaults(): FoundationConfig {
    const own: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(this.#parts.schemas ?? {})) {
      const made = attempt(() => parseSection(name, schema, {}));
      own[name] = made.ok ? made.value : plain(this.#initial)[name];
    }
    return frozenCopy({ ...DEFAULT_CONFIG, ...own });
  }

  // Both may be down while the configuration is not: what they fail with is theirs.
  #record(type: string, data: PlainObject): void {
    try {
      this.#parts.events?.record(type, data);
    } catch {
      this.#count("config_event_failures", { type });
    }
  }

  #count(name: string, metadata: PlainObject): void {
    try {
      this.#telemetry.execute(["foundation", name], { counter: 1 }, metadata);
    } catch {
      // There is nobody left to tell.
    }
  }
}

function plain(config: FoundationConfig): PlainObject {
  return config as unknown as PlainObject;
}
