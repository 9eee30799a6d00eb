import { Foundation } from "foundation-runtime";

const node = await Foundation.start({ config: { values: { dev: { debugMode: true } } } });
const { config, telemetry, serviceRegistry, infrastructure, beam } = node;
const api = beam.processes.spawn(() => {}, { via: serviceRegistry.via("production", "api") });
console.log(config.get(["dev", "debug_mode"]), serviceRegistry.lookup("production", "api") === api);
config.subscribe(({ path, value }) => console.log(`${path.join(".")} is ${value}`));
config.update(["interface", "max_results"], 50);
const send = () => telemetry.emitCounter(["mails"]);
await infrastructure.executeProtected("mail", { rateLimiter: ["api_calls", "ann"] }, send);
console.log(telemetry.getMetricsFlat().get("mails").measurements.counter);
await node.leave();
