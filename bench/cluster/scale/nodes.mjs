/** Some nodes of a large cluster, in one process; does what the runner tells, step by step. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report, told } from "../../child.mjs";
import { Observed } from "./observed.mjs";

/** Rings as small as they may be: the nodes of this bench exchange next to nothing. */
const RING_BYTES = 16 << 10;
/** A node that has not heard a broadcast by then has missed it. */
const HEARD_WITHIN_MS = 5_000;

const overlays = { data: { strategy: "hyparview" } };

function memoryNow() {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** Bytes of the process: in all, for its nodes; and what members and links have added. */
class Scales {
  #empty = memoryNow();
  #started = 0;

  started() {
    this.#started = memoryNow();
  }

  weigh() {
    const now = memoryNow();
    return { total: now - this.#empty, links: now - this.#started };
  }
}

/** Waits for one broadcast at all nodes but its speaker. */
async function hear(observed) {
  for (const each of observed) each.heardAt = undefined;
  report("ready");
  const all = Promise.all(observed.map((each) => each.until(() => each.heardAt !== undefined)));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, HEARD_WITHIN_MS))]);
  const reached = observed.filter(({ heardAt }) => heardAt !== undefined);
  report("heard", {
    timesMs: reached.map(({ heardAt }) => heardAt),
    missed: observed.length - reached.length,
  });
}

const allHave = (observed, members) =>
  Promise.all(observed.map((each) => each.until(() => each.members.size === members)));

async function act(task, observed, { others, survivors }, scales) {
  switch (task.step) {
    case "join":
      for (const { node } of observed) {
        if (node.address !== task.seed) node.join([task.seed]).catch(fail);
      }
      await allHave(observed, others);
      report("formed");
      break;
    case "weigh":
      report("weight", scales.weigh());
      break;
    case "hear":
      hear(observed.filter(({ node }) => node.address !== task.speaker)).catch(fail);
      break;
    case "broadcast":
      observed[0].broadcast();
      break;
    case "count":
      // Takes its time: each node tells of all members too.
      report("hops", { hops: observed.flatMap((each) => each.hops() ?? []) });
      break;
    case "survive":
      await Promise.race([
        allHave(observed, survivors),
        new Promise((resolve) => setTimeout(resolve, task.withinMs)),
      ]);
      report("whole", { isWhole: observed.every(({ members }) => members.size === survivors) });
      break;
    default:
      throw new Error(`no such step: ${task.step}`);
  }
}

async function main() {
  const given = parameters();
  endWithRunner();
  const scales = new Scales();
  const observed = [];
  for (const name of given.names) {
    const place = { name, cluster: "bench", listen: "127.0.0.1:0", ringBytes: RING_BYTES };
    observed.push(new Observed(await Foundation.start({ ...place, overlays })));
  }
  scales.started();
  report("listening", { address: observed[0].node.address });
  for (;;) await act(await told(), observed, given, scales);
}

main().catch(fail);
