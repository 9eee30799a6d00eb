import { optionalPackage } from "../../../base/optional-package.ts";
import type { Unsubscribe } from "../../../base/typed-events.ts";
import type { MetricStore } from "../metric-store.ts";
import type { MetricSums } from "../series-sum.ts";
import { Instruments } from "./open-telemetry-metrics.ts";
import type { OpenTelemetryApi, OpenTelemetryPlan } from "./open-telemetry-options.ts";
import { Spans } from "./open-telemetry-spans.ts";

/** How its spans and instruments are told from those of other libraries. */
const SCOPE = "foundation-runtime";

/** What OpenTelemetry is fed from. */
export interface OtelSource {
  readonly store: MetricStore;
  /** The metrics of the scope that was asked for; none while the service is down. */
  collect(): Promise<MetricSums>;
}

/** OpenTelemetry, as long as it is attached. */
export interface OtelBridge {
  readonly spans: Spans | undefined;
  readonly end: Unsubscribe;
}

/**
 * Hands spans and metrics to the SDK that the program has set up.
 *
 * @throws FoundationError `package_missing` where there is no `@opentelemetry/api`
 */
export async function bridge(source: OtelSource, plan: OpenTelemetryPlan): Promise<OtelBridge> {
  const api = plan.api ?? (await load());
  const spans = plan.traces ? new Spans(api, api.trace.getTracer(SCOPE)) : undefined;
  if (!plan.metrics) return { spans, end: () => {} };
  const instruments = new Instruments(api.metrics.getMeter(SCOPE), async () => source.collect());
  // What is measured first between two collections must not miss the next one.
  const stop = source.store.onMeasured((...what) => instruments.place(...what));
  const end = (): void => {
    stop();
    instruments.end();
  };
  try {
    instruments.learn(await source.collect());
  } catch (thrown) {
    end();
    throw thrown;
  }
  return { spans, end };
}

async function load(): Promise<OpenTelemetryApi> {
  return optionalPackage("@opentelemetry/api", "1", async () => {
    return (await import("@opentelemetry/api" as string)) as OpenTelemetryApi;
  });
}
