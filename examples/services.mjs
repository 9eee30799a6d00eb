import { Foundation } from "foundation-runtime";

const node = await Foundation.start({ config: { values: { dev: { debugMode: true } } } });
const { config, events, telemetry, serviceRegistry, infrastructure, beam } = node;
const api = beam.processes.spawn(() => {}, { via: serviceRegistry.via("production", "api") });
console.log(config.get(["dev", "debug_mode"]), serviceRegistry.lookup("production", "api") === api);
config.update(["interface", "max_results"], 50);
console.log("now", events.query({ eventType: "config_updated" })[0].data.newValue);
const send = () => telemetry.emitCounter(["mails"]);
await infrastructure.executeProtected("mail", { rateLimiter: ["api_calls", "ann"] }, send);
console.log(telemetry.getMetricsFlat().get("mails").measurements.counter);
await node.leave();
