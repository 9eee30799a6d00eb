// What a program does, in numbers: counted, measured, and told to whoever asked for it.
import { Foundation } from "foundation-runtime";

const node = await Foundation.start();
const { telemetry } = node;

telemetry.attach("slow", [["http", "request"]], (_name, { histogram }, { path }) => {
  if (histogram > 100) console.log(`slow: ${path}`);
});

for (const [path, ms] of [
  ["/", 10],
  ["/users", 20],
  ["/report", 300],
]) {
  telemetry.emitHistogram(["http", "request"], ms, { path });
}

const failing = async () => Promise.reject(new Error("no database"));
await telemetry.measure(["db", "query"], { table: "users" }, failing).catch(() => {});
node.serviceRegistry.lookup("production", "api");

const metrics = telemetry.getMetricsFlat();
const { count, p50 } = metrics.get("http.request").distributions.histogram;
console.log(`${count} requests, p50 within 1 % of 20: ${Math.abs(p50 - 20) <= 0.2}`);
console.log(`exceptions: ${metrics.get("db.query.exception").count}`);
const { foundation } = telemetry.getMetrics().foundation;
console.log(`lookups: ${foundation["registry"].lookup.count}`);
await node.leave();
