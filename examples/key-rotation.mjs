import { randomBytes } from "node:crypto";
import { Foundation } from "foundation-runtime";

const old = randomBytes(32);
const next = randomBytes(32);
const first = await Foundation.start({ name: "first", secret: old, encrypt: true });
const second = await Foundation.start({ name: "second", secret: old, seeds: [first.address] });
await first.awaitReady({ minimumMembers: 2 });

// Each step on every node before the next one begins.
for (const node of [first, second]) node.keys.add(next);
for (const node of [first, second]) node.keys.use(next);
for (const node of [first, second]) node.keys.remove(old);

const third = await Foundation.start({ name: "third", secret: next, seeds: [first.address] });
await third.awaitReady({ minimumMembers: 3 });
console.log("members:", third.members().length, "keys:", third.keys.list().length);

for (const node of [third, second, first]) await node.leave();
