/** prom-client: a counter, one with a label, and a histogram with eleven bounds. */

import { createRequire } from "node:module";

import { answer, BOUNDS_MS, PATHS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const { Counter, Histogram } = requirePeer("prom-client");

await answer(async () => {
  const counter = new Counter({ name: "requests", help: "requests" });
  const byPath = new Counter({ name: "by_path", help: "requests", labelNames: ["path"] });
  const duration = new Histogram({ name: "duration", help: "duration", buckets: BOUNDS_MS });
  const labels = new Map(PATHS.map((path) => [path, { path }]));
  return {
    count: () => counter.inc(),
    countAt: (path) => byPath.inc(labels.get(path)),
    measure: (ms) => duration.observe(ms),
    async events() {
      const [all, paths, durations] = await Promise.all(
        [counter, byPath, duration].map((metric) => metric.get()),
      );
      const measured = durations.values.filter(({ metricName }) => metricName === "duration_count");
      const values = [...all.values, ...paths.values, ...measured];
      return values.reduce((sum, { value }) => sum + value, 0);
    },
  };
});
