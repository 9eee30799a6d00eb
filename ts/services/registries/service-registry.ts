import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { Wait } from "../../base/deadline.ts";
import { FoundationError } from "../../base/errors.ts";
import { checkCount } from "../../base/option-checks.ts";
import type { Pid } from "../../base/pid.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { Via } from "../../beam/process-types.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { type LogSink, NO_LOG, NO_TELEMETRY, type TelemetrySink } from "../sinks.ts";
import type { PlainObject } from "../toolkit/nested.ts";
import { checkHealth, type HealthCheckOptions } from "./health-check.ts";
import type { Cleanup, CleanupOptions, ProcessRegistry } from "./process-registry.ts";
import type { RegistryCore } from "./registry-core.ts";
import type { RegisterOptions } from "./registry-types.ts";

const REGISTER = ["foundation", "foundation", "registry", "register"];
const LOOKUP = ["foundation", "foundation", "registry", "lookup"];

/** How long to wait for a service, and what may cut it short. */
export interface WaitForServiceOptions {
  /** Longest wait. Unit: ms. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with `aborted`. Unit: signal. Default: none. */
  readonly signal?: AbortSignal;
}

/** How long to wait for a service unless options say otherwise. */
export const SERVICE_WAIT_DEFAULTS = Object.freeze({
  timeoutMs: 5_000, // as Foundation 1.x
});

/** What is known of one service. */
export interface ServiceInfo {
  readonly pid: Pid;
  readonly alive: boolean;
  /** Since it was registered. Unit: ms. */
  readonly uptimeMs: number;
  readonly metadata: PlainObject;
}

/** What is known of a namespace. */
export interface NamespaceInfo {
  readonly namespace: string;
  readonly services: Readonly<Record<string, ServiceInfo>>;
  readonly totalServices: number;
  readonly healthyServices: number;
}

/** Where a service registry reports what it does. */
export interface ServiceRegistrySinks {
  /** Is told registrations and lookups. Unit: sink. Default: nobody. */
  readonly telemetry?: TelemetrySink;
  /** Is told what people read. Unit: sink. Default: nobody. */
  readonly log?: LogSink;
  /** Where time comes from. Unit: clock. Default: the system. */
  readonly clock?: Clock;
}

/**
 * Services by name: the same names as those of the process registry, with reports of what happens,
 * health checks, and waiting for a service that is not there yet.
 */
export class ServiceRegistry {
  readonly #slot: ServiceSlot<RegistryCore>;
  readonly #processes: ProcessRegistry;
  readonly #telemetry: TelemetrySink;
  readonly #log: LogSink;
  readonly #clock: Clock;

  constructor(
    slot: ServiceSlot<RegistryCore>,
    processes: ProcessRegistry,
    { telemetry = NO_TELEMETRY, log = NO_LOG, clock = SYSTEM_CLOCK }: ServiceRegistrySinks = {},
  ) {
    this.#slot = slot;
    this.#processes = processes;
    this.#telemetry = telemetry;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Gives a service a name. Reports `foundation.foundation.registry.register`.
   *
   * @throws FoundationError as `ProcessRegistry.register`
   */
  register(namespace: string, service: string, pid: Pid, options?: RegisterOptions): void {
    try {
      this.#processes.register(namespace, service, pid, options);
    } catch (thrown) {
      this.#report(REGISTER, { count: 1 }, { namespace, service, result: "error" });
      this.#write("warn", "service was refused", { namespace, service });
      throw thrown;
    }
    this.#report(REGISTER, { count: 1 }, { namespace, service, result: "ok" });
    this.#write("info", "service registered", { namespace, service });
  }

  /** The process of a service, or undefined. Reports `foundation.foundation.registry.lookup`. */
  lookup(namespace: string, service: string): Pid | undefined {
    const startMs = this.#clock.now();
    const pid = this.#processes.lookup(namespace, service);
    const result = pid === undefined ? "error" : "ok";
    const duration = this.#clock.now() - startMs;
    this.#report(LOOKUP, { duration }, { namespace, service, result });
    return pid;
  }

  /**
   * The process of a service.
   *
   * @throws FoundationError `service_not_found` (5001) with namespace and service in its context
   */
  lookupOrThrow(namespace: string, service: string): Pid {
    const pid = this.lookup(namespace, service);
    if (pid !== undefined) return pid;
    const text = `no service '${service}' in '${namespace}'`;
    throw new FoundationError("service_not_found", text, { context: { namespace, service } });
  }

  /** Takes a name away; false where nobody had it. */
  unregister(namespace: string, service: string): boolean {
    const had = this.#processes.unregister(namespace, service);
    this.#write("info", "service unregistered", { namespace, service, had });
    return had;
  }

  /** The names of a namespace whose processes are alive. */
  listServices(namespace: string): string[] {
    const services = this.#processes.listServices(namespace);
    this.#write("debug", "services listed", { namespace, count: services.length });
    return services;
  }

  /** As `ProcessRegistry.via`, and it is reported like any registration. */
  via(namespace: string, service: string, options?: RegisterOptions): Via {
    return { register: (pid) => this.register(namespace, service, pid, options) };
  }

  /**
   * Asks whether a service is well: whether its process is alive and, where a `check` is given,
   * whether that says so within `timeoutMs`.
   *
   * @throws FoundationError `service_not_found`, `process_dead`, `health_check_failed`,
   *   `health_check_timeout`, `health_check_error`, `health_check_crashed`, `aborted`
   */
  async healthCheck(
    namespace: string,
    service: string,
    options: HealthCheckOptions = {},
  ): Promise<Pid> {
    const pid = this.lookupOrThrow(namespace, service);
    const isAlive = (): boolean => this.#processes.lookup(namespace, service)?.equals(pid) === true;
    const log = options.debugHealthCheck === true ? this.#write.bind(this) : undefined;
    log?.("debug", "health check begins", { namespace, service });
    try {
      await checkHealth(pid, isAlive, { namespace, service }, options);
    } catch (thrown) {
      log?.("debug", "health check failed", { namespace, service, reason: thrownText(thrown) });
      throw thrown;
    }
    log?.("debug", "health check passed", { namespace, service });
    return pid;
  }

  /**
   * Waits until a service is there; by its registration, not by asking again and again.
   *
   * @throws FoundationError `timeout`, `aborted`, `invalid_options`
   */
  async waitForService(
    namespace: string,
    service: string,
    { timeoutMs = SERVICE_WAIT_DEFAULTS.timeoutMs, signal }: WaitForServiceOptions = {},
  ): Promise<Pid> {
    checkCount("timeoutMs", timeoutMs, 0);
    const there = this.#processes.lookup(namespace, service);
    if (there !== undefined) return there;
    const late = (): string => `no service '${service}' in '${namespace}' within ${timeoutMs} ms`;
    let stop = (): void => {};
    const wait = new Wait<Pid>({ timeoutMs, signal }, "timeout", late, () => stop());
    stop = this.#slot.core.onChange((op) => {
      if (op.kind !== "put" || op.entry.name !== service) return;
      if (op.entry.namespace === namespace) wait.resolve(op.entry.pid);
    });
    return wait.promise;
  }

  /** What is known of the services of a namespace, those included that have just ended. */
  getServiceInfo(namespace: string): NamespaceInfo {
    const { core } = this.#slot;
    const nowMs = this.#clock.wallNow();
    const services = core.known(namespace).map((entry): [string, ServiceInfo] => {
      const { name, pid, metadata, registeredAt } = entry;
      const uptimeMs = nowMs - registeredAt;
      return [name, { pid, alive: core.isAlive(entry), uptimeMs, metadata }];
    });
    return {
      namespace,
      services: Object.fromEntries(services),
      totalServices: services.length,
      healthyServices: services.filter(([, { alive }]) => alive).length,
    };
  }

  /** As `ProcessRegistry.cleanupNamespace`: ends the processes of a namespace. */
  async cleanupNamespace(namespace: string, options?: CleanupOptions): Promise<Cleanup> {
    const cleanup = await this.#processes.cleanupNamespace(namespace, options);
    this.#write("info", "namespace cleaned up", { namespace, ...cleanup });
    return cleanup;
  }

  // A sink is somebody else's code: what it throws must not break what it is told of.
  #report(name: readonly string[], measurements: Record<string, number>, facts: PlainObject): void {
    try {
      this.#telemetry.execute(name, measurements, facts);
    } catch {
      this.#write("warn", "telemetry failed", { name: name.join(".") });
    }
  }

  #write(level: Parameters<LogSink["log"]>[0], message: string, facts: PlainObject): void {
    try {
      this.#log.log(level, message, facts);
    } catch {
      // There is nobody left to tell.
    }
  }
}
