import type { LogSink } from "../sinks.ts";
import { type NamespaceServices, namespaceServices } from "./namespace-services.ts";
import type { ServiceInstances } from "./service-instances.ts";

/** Most namespaces that are kept: as many as may have a service. */
const NAMESPACES_MAX = 1_024;

/** The services of namespaces by name: the same each time, so that what serves them is one. */
export class Namespaces {
  readonly #instances: ServiceInstances;
  readonly #log: LogSink;
  readonly #byName = new Map<string, NamespaceServices>();
  #isClosed = false;

  constructor(instances: ServiceInstances, log: LogSink) {
    this.#instances = instances;
    this.#log = log;
  }

  /** Those of a namespace. */
  of(name: string): NamespaceServices {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#byName.size >= NAMESPACES_MAX) this.#dropOne();
    const made = namespaceServices(name, this.#instances, this.#log);
    if (this.#isClosed) made.telemetry.close();
    this.#byName.set(name, made);
    return made;
  }

  /** Ends what serves and exports their metrics: the isolate leaves its node. */
  close(): void {
    this.#isClosed = true;
    for (const { telemetry } of this.#byName.values()) telemetry.close();
    this.#byName.clear();
  }

  /** Forgets the oldest in which nothing runs. */
  #dropOne(): void {
    for (const [name, { telemetry }] of this.#byName) {
      if (this.#instances.areIn(name)) continue;
      telemetry.close();
      this.#byName.delete(name);
      return;
    }
  }
}
