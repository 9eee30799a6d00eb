// What Prometheus reads of a program: requests by path, sizes in buckets, and the engine itself.
import { Foundation } from "foundation-runtime";

const node = await Foundation.start({ telemetry: { enableVmMetrics: true } });
const { telemetry } = node;

telemetry.describe(["http", "requests"], { help: "Requests answered", labels: ["path"] });
telemetry.describe(["http", "body_bytes"], { help: "Sizes of bodies", buckets: [100, 1_000] });

for (const [path, bytes] of [
  ["/", 80],
  ["/users", 700],
  ["/", 90],
]) {
  telemetry.emitCounter(["http", "requests"], { path });
  telemetry.emitHistogram(["http", "body_bytes"], bytes);
}

const server = await telemetry.metricsServer({ port: 0 });
const scrape = await fetch(server.url);
const lines = (await scrape.text()).split("\n");
console.log(lines.filter((line) => /^http_(requests|body_bytes_bucket)/.test(line)).join("\n"));
console.log(`the engine is there: ${lines.some((line) => line.startsWith("vm_heap_used_bytes"))}`);
await server.close();
await node.leave();
