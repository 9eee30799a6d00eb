/**
 * One node of a cluster in which one says something to all, and all acknowledge it to whoever said
 * it: one broadcast after the other, or so many at a time.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report, told } from "../../child.mjs";
import { allUp } from "../all-up.mjs";

/** Topic of the broadcasts, and name of the acknowledgements. */
const [TOPIC, HEARD] = ["news", "heard"];
const BODY = Buffer.alloc(64, "a broadcast of some length").toString();

/** Says something again and again, and knows when the last one has acknowledged it. */
class Speaker {
  #node;
  #others;
  #number = 0;
  /** By the number of a broadcast: who is still to acknowledge it, and what follows. */
  #open = new Map();

  constructor(node, others) {
    this.#node = node;
    this.#others = others;
    node.handle(HEARD, (number) => this.#onHeard(number));
  }

  #onHeard(number) {
    const broadcast = this.#open.get(number);
    if (--broadcast.left > 0) return;
    this.#open.delete(number);
    broadcast.onHeard();
  }

  /** Resolves once all have acknowledged one broadcast. */
  say() {
    const number = this.#number++;
    return new Promise((onHeard) => {
      this.#open.set(number, { left: this.#others, onHeard });
      this.#node.broadcast(TOPIC, [number, BODY]);
    });
  }

  /** Milliseconds of each, one after the other. */
  async oneByOne(count) {
    const timesMs = [];
    for (let at = 0; at < count; at++) {
      const saidAt = performance.now();
      await this.say();
      timesMs.push(performance.now() - saidAt);
    }
    return { timesMs };
  }

  /** Messages a second at all receivers together, so many broadcasts at a time. */
  async stream(window, measureMs) {
    const startedAt = performance.now();
    let heard = 0;
    const one = async () => {
      while (performance.now() - startedAt < measureMs) {
        await this.say();
        heard++;
      }
    };
    await Promise.all(Array.from({ length: window }, one));
    return { perSecond: (heard * this.#others) / ((performance.now() - startedAt) / 1000) };
  }
}

async function main() {
  const { name, others, options } = parameters();
  endWithRunner();
  const place = { name, cluster: "bench", listen: "127.0.0.1:0" };
  const node = await Foundation.start({ ...place, ...options });
  const complete = allUp(node, others);
  const onNews = ([number], { from }) => node.send({ node: from, name: HEARD }, number);
  // With overlays any number of isolates of a node may take a topic; without, one has the name.
  if (options.overlays === undefined) node.handle(TOPIC, onNews);
  else node.subscribe(TOPIC, onNews);
  report("listening", { address: node.address });
  const { seed } = await told();
  if (node.address !== seed) await node.join([seed]);
  await complete;
  report("complete");
  const speaker = new Speaker(node, others);
  const { count, window, measureMs } = await told();
  await speaker.oneByOne(count); // the first ones make the tree and dial the ways back
  report("times", await speaker.oneByOne(count));
  report("stream", await speaker.stream(window, measureMs));
}

main().catch(fail);
