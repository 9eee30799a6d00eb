/** Some nodes of a large cluster, in one process; does what the runner tells, step by step. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report, told } from "../../child.mjs";

/** Rings as small as they may be: the nodes of this bench exchange next to nothing. */
const RING_BYTES = 16 << 10;
/** A node that has not heard a broadcast by then has missed it. */
const HEARD_WITHIN_MS = 5_000;
/** Topic of the broadcasts. */
const TOPIC = "scale";

const overlays = { data: { strategy: "hyparview" } };

/** Milliseconds of one clock for all processes of this machine. */
const clock = () => performance.timeOrigin + performance.now();

/** One node and what its own events have told it. */
class Observed {
  members = new Set();
  heardAt;
  #waiting;

  constructor(node) {
    this.node = node;
    node.on("up", ({ name }) => this.#change(() => this.members.add(name)));
    node.on("down", ({ name }) => this.#change(() => this.members.delete(name)));
    node.handle(TOPIC, (sentAt) => {
      this.heardAt ??= clock() - sentAt;
      this.#waiting?.();
    });
  }

  #change(act) {
    act();
    this.#waiting?.();
  }

  /** Resolves once that is so. */
  until(isSo) {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = () => {
        if (isSo()) resolve();
      };
    });
  }
}

function memoryNow() {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}

/** Bytes of the process: in all, for its nodes; and what their links have added. */
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

async function hear(observed) {
  for (const each of observed) each.heardAt = undefined;
  const all = Promise.all(observed.map((each) => each.until(() => each.heardAt !== undefined)));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, HEARD_WITHIN_MS))]);
  const timesMs = observed.flatMap(({ heardAt }) => (heardAt === undefined ? [] : [heardAt]));
  report("heard", { timesMs, missed: observed.length - timesMs.length });
}

async function act(task, observed, { others, survivors }, scales) {
  switch (task.step) {
    case "join":
      for (const { node } of observed) {
        if (node.node.address !== task.seed) node.join([task.seed]).catch(fail);
      }
      await Promise.all(observed.map((each) => each.until(() => each.members.size === others)));
      report("formed");
      break;
    case "weigh":
      report("weight", scales.weigh());
      break;
    case "listen":
      hear(observed).catch(fail);
      break;
    case "broadcast":
      observed[0].node.broadcast(TOPIC, clock(), { overlay: "data" });
      break;
    case "survive":
      await Promise.all(observed.map((each) => each.until(() => each.members.size === survivors)));
      report("whole");
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
    const options = { name, cluster: "bench", listen: "127.0.0.1:0", ringBytes: RING_BYTES };
    observed.push(new Observed(await Foundation.start({ ...options, overlays })));
  }
  scales.started();
  report("listening", { address: observed[0].node.node.address });
  for (;;) await act(await told(), observed, given, scales);
}

main().catch(fail);
