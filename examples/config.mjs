// A setting of the program's own, its schema, and somebody who wants to know when it changes.
import { attempt, Foundation } from "foundation-runtime";
import { section, v } from "foundation-runtime/schema";

const shop = section({
  currency: v.optional(v.picklist(["EUR", "USD"]), "EUR"),
  discount: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0),
});

const node = await Foundation.start({
  config: {
    schemas: { shop },
    values: { shop: { discount: 0.1 } },
    env: { FOUNDATION__AI__PLANNING__SAMPLING_RATE: "0.25" },
    updatable: [["shop", "discount"]],
  },
});
const { config } = node;

console.log(config.get(["shop"]), config.get(["ai", "planning", "sampling_rate"]));
config.subscribe(({ path, value }) => console.log(`${path.join(".")} is now ${value}`));
config.update(["shop", "discount"], 0.2);

for (const [path, value] of [
  [["shop", "discount"], 0.9],
  [["shop", "currency"], "USD"],
]) {
  const result = attempt(() => config.update(path, value));
  console.log(path.join("."), result.ok ? "changed" : result.error.code);
}
await node.leave();
