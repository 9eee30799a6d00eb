import { Foundation } from "foundation-runtime";

const garden = await Foundation.start({ name: "garden" });
const store = await Foundation.start({ name: "store", seeds: [garden.address] });
await garden.awaitReady({ minimumMembers: 2 });

const readings = [];
store.handle("readings", (celsius, { from }) => readings.push(`${from}: ${celsius} °C`));

const to = { node: "store", name: "readings" };
for (const celsius of [18.5, 19, 21]) {
  while (!garden.send(to, celsius)) await garden.drained({ to: "store" });
}
console.log(await garden.call(to, 23.5), "readings:", readings.join(", "));

await store.leave();
await garden.leave();
