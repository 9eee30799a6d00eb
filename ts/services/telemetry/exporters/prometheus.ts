import { optionalPackage } from "../../../base/optional-package.ts";
import type { CollectedMetrics } from "../node-metrics.ts";
import { type Family, familiesOf } from "./prometheus-families.ts";
import type { PrometheusPlan } from "./prometheus-options.ts";

const MISSING = "foundation_telemetry_missing_isolates";

/** What is taken of prom-client. It is an optional package: this compiles without it. */
export interface PromClient {
  readonly Registry: {
    new (): WritingRegistry;
    readonly PROMETHEUS_CONTENT_TYPE: string;
    readonly OPENMETRICS_CONTENT_TYPE: string;
  };
}

/** What is taken of its registries. */
interface WritingRegistry {
  setContentType(type: string): void;
  registerMetric(metric: object): void;
  metrics(): Promise<string>;
}

/** A text that Prometheus reads, and what it is called in a header. */
export interface Exposition {
  readonly text: string;
  readonly contentType: string;
}

/**
 * Metrics as text, with those of other registries of prom-client behind them.
 *
 * @throws FoundationError `package_missing` where there is no prom-client
 */
export async function expose(
  { sums, missing }: CollectedMetrics,
  { format, registries }: PrometheusPlan,
): Promise<Exposition> {
  const { Registry } = await optionalPackage("prom-client", "15", async () => {
    return (await import("prom-client" as string)) as PromClient;
  });
  const contentType =
    format === "openmetrics" ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  const registry = new Registry();
  registry.setContentType(contentType);
  const foreign = registries.flatMap((other) => other.getMetricsAsArray());
  const names = [MISSING, ...foreign.flatMap(({ name }) => namesOf(name))];
  for (const family of [missingFamily(missing.length), ...familiesOf(sums, names)]) {
    registry.registerMetric(new FamilyMetric(family));
  }
  for (const metric of foreign) registry.registerMetric(metric);
  return { text: await registry.metrics(), contentType };
}

/** Whether the sums are those of all isolates is a figure, too. */
function missingFamily(value: number): Family {
  const help = "Isolates whose metrics are not among these: they did not answer";
  return { name: MISSING, help, type: "gauge", values: [{ labels: {}, value }] };
}

/** What a metric of somebody else may call its lines, whatever its type. */
function namesOf(name: string): string[] {
  const root = name.replace(/_total$/, "");
  return ["", "_total", "_sum", "_count", "_bucket"].map((suffix) => `${root}${suffix}`);
}

/** A family as a registry of prom-client asks for it. */
class FamilyMetric {
  /** The registry takes `_total` off those of counters for OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: string;
  readonly #family: Family;

  constructor(family: Family) {
    this.name = family.name;
    this.help = family.help;
    this.type = family.type;
    this.#family = family;
  }

  async get(): Promise<object> {
    const { name, help, type } = this;
    return { name, help, type, values: this.#family.values, aggregator: "sum" };
  }
}
