// Spans and metrics for whatever OpenTelemetry of the program sends them to: here, to its memory.
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { Foundation } from "foundation-runtime";

const memory = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
provider.register();

const node = await Foundation.start();
const { telemetry } = node;
await telemetry.attachOpenTelemetry();

const query = async () => telemetry.measure(["db", "query"], { table: "users" }, async () => 7);
await telemetry.measure(["http", "request"], { path: "/users" }, query);

const [inner, outer] = memory.getFinishedSpans();
console.log(`${inner.name} ${JSON.stringify(inner.attributes)}`);
console.log(`${outer.name} ${JSON.stringify(outer.attributes)}`);
console.log(`nested: ${inner.parentSpanContext.spanId === outer.spanContext().spanId}`);
await node.leave();
await provider.shutdown();
