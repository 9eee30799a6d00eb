import { checkKeys, checkKind, checkWord } from "../../../base/option-checks.ts";
import { COLLECT_DEFAULTS, type CollectOptions, planCollect } from "../collect-options.ts";

/** The text format of Prometheus, or that of OpenMetrics 1.0. */
export type ExpositionFormat = "prometheus" | "openmetrics";

const FORMATS: readonly ExpositionFormat[] = ["prometheus", "openmetrics"];

/** What is asked of a registry of prom-client. */
export interface PrometheusRegistry {
  getMetricsAsArray(): readonly { readonly name: string }[];
}

/** Which metrics are shown. Defaults: {@link PROMETHEUS_DEFAULTS}. */
export interface PrometheusOptions extends CollectOptions {
  /** How they are written. Unit: word. */
  readonly format?: ExpositionFormat;
  /** Registries of prom-client whose metrics are shown as well. Unit: registries. */
  readonly registries?: readonly PrometheusRegistry[];
}

/** What is shown unless the options say otherwise. */
export const PROMETHEUS_DEFAULTS = Object.freeze({
  ...COLLECT_DEFAULTS,
  format: "prometheus", // every version of Prometheus reads it
  registries: Object.freeze([]) as readonly PrometheusRegistry[], // the caller knows its own
});

/** Options, checked and complete. */
export type PrometheusPlan = CollectOptions &
  Required<Pick<PrometheusOptions, "format" | "registries" | "scope" | "timeoutMs">>;

/**
 * Options of an exposition, checked and complete.
 *
 * @throws FoundationError `invalid_options`
 */
export function planPrometheus(options: PrometheusOptions = {}): PrometheusPlan {
  const { format, registries, ...collecting } = { ...PROMETHEUS_DEFAULTS, ...options };
  checkKeys("prometheus", options, [...Object.keys(PROMETHEUS_DEFAULTS), "signal"]);
  const plan = planCollect(collecting);
  checkKind("registries", Array.isArray(registries), "a list of registries of prom-client");
  for (const one of registries) {
    const isRegistry = typeof one?.getMetricsAsArray === "function";
    checkKind("each of the registries", isRegistry, "a registry of prom-client");
  }
  return {
    ...plan,
    format: checkWord<ExpositionFormat>("format", format as ExpositionFormat, FORMATS),
    registries,
  };
}
