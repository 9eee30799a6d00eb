import type { Discovery } from "../distributed/discovery/discovery.ts";
import type { Telemetry } from "../services/telemetry/telemetry.ts";

/** Tells the telemetry of a node what its search for others tells of. Names: docs/discovery.md. */
export function tellDiscovery(discovery: Discovery, telemetry: Telemetry): void {
  const name = (event: string): string[] => ["foundation", "discovery", event];
  discovery.on("candidates", ({ candidates, added, gone, ...rest }) => {
    telemetry.execute(name("candidates"), { candidates, added, gone }, rest);
  });
  discovery.on("sourceFailed", ({ source, error, failuresInARow, retryInMs }) => {
    telemetry.execute(name("source_failed"), { failuresInARow, retryInMs }, { source, error });
  });
  discovery.on("sourceRecovered", ({ source, failures }) => {
    telemetry.execute(name("source_recovered"), { failures }, { source });
  });
  discovery.on("dialled", ({ tookMs, ...rest }) => {
    telemetry.execute(name("dialled"), { tookMs }, rest);
  });
  discovery.on("dialFailed", ({ retryInMs, ...rest }) => {
    telemetry.execute(name("dial_failed"), { retryInMs }, rest);
  });
  discovery.on("pruned", (event) => telemetry.execute(name("pruned"), { count: 1 }, event));
  discovery.on("reconnected", ({ tookMs, name: member }) => {
    telemetry.execute(name("reconnected"), { tookMs }, { name: member });
  });
}
