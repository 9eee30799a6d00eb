/** Ours: `node.telemetry`; its histogram keeps quantiles within 1 % and needs no bounds. */

import { Foundation } from "foundation-runtime";

import { answer, PATHS } from "./ask.mjs";

const COUNTED = ["http", "requests"];
const LABELLED = ["http", "requests_by_path"];
const MEASURED = ["http", "duration"];

await answer(async () => {
  const node = await Foundation.start({ name: "solo", cluster: "bench", listen: "127.0.0.1:0" });
  const { telemetry } = node;
  telemetry.describe(LABELLED, { labels: ["path"] });
  const metadata = new Map(PATHS.map((path) => [path, { path }]));
  return {
    count: () => telemetry.emitCounter(COUNTED),
    countAt: (path) => telemetry.emitCounter(LABELLED, metadata.get(path)),
    measure: (ms) => telemetry.emitHistogram(MEASURED, ms),
    events() {
      const metrics = [...telemetry.getMetricsFor(["http"]).values()];
      return metrics.reduce((sum, { count }) => sum + count, 0);
    },
  };
});
