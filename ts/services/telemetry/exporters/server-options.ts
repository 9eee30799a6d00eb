import { checkCount, checkKind } from "../../../base/option-checks.ts";

const PORT_MAX = 65_535;

/** Where metrics are served. Defaults: {@link METRICS_SERVER_DEFAULTS}. */
export interface MetricsServerOptions {
  /** Port to listen on; 0 takes any that is free. Unit: port. */
  readonly port?: number;
  /** Address to listen on. Unit: host. */
  readonly host?: string;
  /** Path of the metrics; any other one is not found. Unit: path. */
  readonly path?: string;
}

/** Where metrics are served unless the options say otherwise. */
export const METRICS_SERVER_DEFAULTS: Required<MetricsServerOptions> = Object.freeze({
  port: 9464, // as the Prometheus exporter of OpenTelemetry
  host: "127.0.0.1", // metrics tell much of a program: who serves them to others says so
  path: "/metrics", // where Prometheus looks
});

/**
 * Options, checked and complete.
 *
 * @throws FoundationError `invalid_options`
 */
export function planServer(options: MetricsServerOptions): Required<MetricsServerOptions> {
  const plan = { ...METRICS_SERVER_DEFAULTS, ...options };
  checkCount("port", plan.port, 0);
  checkKind("port", plan.port <= PORT_MAX, `at most ${PORT_MAX}`);
  checkKind("host", typeof plan.host === "string" && plan.host.length > 0, "an address");
  const isPath = typeof plan.path === "string" && /^\/[^?#\s]*$/.test(plan.path);
  checkKind("path", isPath, "a path that begins with /");
  return plan;
}
