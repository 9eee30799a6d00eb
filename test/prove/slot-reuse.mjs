// One isolate attaches and lets go so often that the generations of its slot begin anew. Whatever
// is sent to an earlier one reaches nobody.
import { Foundation } from "../../dist/ts/index.js";
import { expectNothingLeft, growth, holdings, settledTo } from "./harness/holdings.mjs";
import { prove } from "./harness/prove.mjs";
import { startNodes } from "./harness/traffic.mjs";

async function run({ cycles, progress, expect }) {
  const [home, peer] = await startNodes(["home", "peer"], { ringBytes: 16 << 10 });
  let warm;
  let answered = 0;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const again = await Foundation.attach({ name: "home" });
    if (cycle % 100 === 0) {
      again.handle("moving", () => cycle);
      const to = { node: "home", name: "moving" };
      const answer = await peer.call(to, 0, { timeoutMs: 20_000 }).catch((error) => error.code);
      expect(answer === cycle, `cycle ${cycle}: answered with ${answer}`);
      again.detach();
      const late = await peer.call(to, 0, { timeoutMs: 20_000 }).catch((error) => error.code);
      expect(late === "noproc", `cycle ${cycle}: after it let go, answered with ${late}`);
      answered += 1;
    } else {
      again.detach();
    }
    // Node frees doorbells between the turns of the loop.
    if (cycle % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (cycle === Math.ceil(cycles / 4)) warm = holdings();
    if (cycle % 10_000 === 0) progress(`${cycle} of ${cycles}`);
  }
  const after = await settledTo(warm);
  for (const grown of growth(warm, after)) expect(false, grown);
  expect(home.metrics().isolates === 1, `${home.metrics().isolates} isolates`);
  await Promise.all([home.leave(), peer.leave()]);
  await expectNothingLeft(expect);
  return { answered, warm, after };
}

const title = "slots are used again under new generations, beyond 65,536 of them";
await prove({ title, cycles: { full: 70_000, short: 2_000 }, run });
