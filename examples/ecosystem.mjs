// Work that is sent to one pid is done by several workers; one of them fails, and nothing is lost.
import { Foundation, GenServer } from "foundation-runtime";

let failures = 1;

class Resizer extends GenServer {
  async handleCall({ width, height, factor }) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (failures-- > 0) throw new Error("out of luck");
    return `${width * factor} x ${height * factor}`;
  }
}

const node = await Foundation.start({ name: "studio" });
const { ecosystems, processes } = node.beam;
processes.on("crashed", ({ label, reason }) => console.log(`${label} ended: ${reason.message}`));

const resizers = await ecosystems.spawnEcosystem("resizers", {
  workers: { start: Resizer, count: 3 },
  coordinator: { dispatch: "leastLoaded", queueMax: 1_000 },
  supervision: { strategy: "oneForOne", intensity: { restartsMax: 5, withinMs: 10_000 } },
});

const sizes = [1, 2, 3, 4].map((factor) => ({ width: 10, height: 20, factor }));
const answers = await Promise.all(sizes.map((size) => processes.call("resizers", size)));
console.log(answers.join(", "));

const { counts } = ecosystems.ecosystemInfo(resizers);
console.log(`${counts.completed} done, ${counts.redistributed} of them by a second worker`);

await ecosystems.addWorker(resizers);
console.log(
  ecosystems
    .listWorkers(resizers)
    .map(({ id, state }) => `${id} ${state}`)
    .join(", "),
);
await ecosystems.removeWorker(resizers, "worker-1");
const { status, workersUp } = ecosystems.ecosystemHealth(resizers);
console.log(`${status}: ${workersUp} workers`);

const { isDrained, killed } = await ecosystems.shutdownEcosystem(resizers, { graceMs: 1_000 });
console.log(isDrained ? `all done, ${killed} killed` : "work was abandoned");
await node.leave();
