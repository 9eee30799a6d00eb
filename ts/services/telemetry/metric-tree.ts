import type { TelemetryName } from "../sinks.ts";
import type { CollectedMetrics } from "./node-metrics.ts";
import type { NodeMetric, NodeTelemetry } from "./node-telemetry.ts";
import type { MetricSum } from "./series-sum.ts";
import type { Metric, MetricTree } from "./telemetry-types.ts";

/** Below `foundation`, these read as plain counts, as in Foundation 1.x. */
const COUNTS = new Set(["events_stored", "config_updates", "config_resets", "config_operations"]);

type Branch = { [word: string]: Branch | Metric | number };

/** Metrics by the words of their names; one whose name begins another one's is its `value`. */
export function metricTree(sums: Iterable<MetricSum>): MetricTree {
  const root = newBranch();
  for (const sum of sums) {
    const { name } = sum;
    const metric = sum.metric();
    const isCount = name.length === 2 && name[0] === "foundation" && COUNTS.has(name[1] ?? "");
    put(root, name, isCount ? metric.count : metric);
  }
  root["retrievedAt"] = Date.now();
  return root;
}

/** Metrics by name, its words joined by dots. */
export function metricsByName(sums: Iterable<MetricSum>): Map<string, Metric> {
  return new Map([...sums].map((sum) => [sum.name.join("."), sum.metric()]));
}

/** What was collected from isolates, for people. */
export function nodeTelemetry(collected: CollectedMetrics): NodeTelemetry {
  const { sums, isolates, missing } = collected;
  const metrics = [...sums.values()].map((sum): [string, NodeMetric] => {
    const gauges = [...sum.total.gauges].map(([isolate, { value }]) => [isolate, value] as const);
    return [sum.name.join("."), { ...sum.metric(), gauges: Object.fromEntries(gauges) }];
  });
  return { metrics: new Map(metrics), isolates, missing, retrievedAt: Date.now() };
}

function newBranch(): Branch {
  // Without a prototype: a name's words are whatever somebody measured.
  return Object.create(null) as Branch;
}

function put(root: Branch, name: TelemetryName, leaf: Metric | number): void {
  let at = root;
  for (const word of name.slice(0, -1)) {
    const below = at[word];
    if (isBranch(below)) at = below;
    else {
      const branch = newBranch();
      if (below !== undefined) branch["value"] = below;
      at[word] = branch;
      at = branch;
    }
  }
  const last = name.at(-1) ?? "value";
  const there = at[last];
  if (isBranch(there)) there["value"] = leaf;
  else at[last] = leaf;
}

function isBranch(value: Branch | Metric | number | undefined): value is Branch {
  return typeof value === "object" && Object.getPrototypeOf(value) === null;
}
