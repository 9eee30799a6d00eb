// A token goes around a ring of processes: node examples/ring.mjs [PROCESSES] [ROUNDS]
import { Foundation } from "foundation-runtime";

const [members = 1_000, rounds = 100] = process.argv.slice(2).map(Number);
const node = await Foundation.start({ name: "ring" });
const { processes } = node.beam;

let hops = 0;
let next;
const done = new Promise((resolve) => {
  const last = processes.spawn((roundsLeft, self) => {
    hops++;
    if (roundsLeft === 0) return resolve();
    self.send(next, roundsLeft - 1);
  });
  next = last;
});
for (let member = 1; member < members; member++) {
  const to = next;
  next = processes.spawn((token, self) => {
    hops++;
    self.send(to, token);
  });
}
const startedAt = performance.now();
processes.send(next, rounds - 1);
await done;
const seconds = (performance.now() - startedAt) / 1_000;
console.log(`${hops} hops through ${members} processes`);
if (process.stdout.isTTY) console.log(`${Math.round(hops / seconds)} hops/s`);
await node.leave();
