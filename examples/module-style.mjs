// The module style of Foundation 1.x, and a service of a namespace under a supervisor of one's own.
import { Config, Foundation, Services, Telemetry } from "foundation-runtime";

const node = await Foundation.initialize({ config: { values: { ai: { provider: "openai" } } } });
console.log(Config.get(["ai", "provider"]), Foundation.health().status);
Config.update(["ai", "planning", "sampling_rate"], 0.5);
console.log(Telemetry.getMetrics().foundation.config_updates);

const { supervisors, processes } = node.beam;
const args = [{ namespace: "shop", values: { dev: { debugMode: true } } }];
const supervisor = await supervisors.start({
  children: [{ id: "config", start: Services.ConfigServer, args }],
});
const shop = node.services.namespace("shop");
shop.config.update(["ai", "planning", "sampling_rate"], 0.1);

const [child] = await supervisors.whichChildren(supervisor);
processes.exit(child.pid, "kill");
await supervisors.whichChildren(supervisor);
console.log(shop.config.get(["dev", "debug_mode"]), shop.config.status().updatesCount);
console.log(Config.get(["ai", "planning", "sampling_rate"]));
await Foundation.shutdown();
console.log(Foundation.available(), Config.getWithDefault(["ai", "provider"], "none"));
