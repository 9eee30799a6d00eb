/**
 * One node of a cluster on a network with faults. The runner tells it what to do and what to look
 * out for, one line at a time; each is reported when it is so.
 */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report, told } from "../../child.mjs";
import { allUp } from "../all-up.mjs";

/** Between two messages to one peer. Unit: ms. */
const PACE_MS = 10;

/** Sends to each peer again and again, and tells of answers. */
class Talk {
  #node;
  /** Peers whose answer is awaited, and what to report when all have answered. */
  #awaited = new Set();
  #event = "";

  constructor(node) {
    this.#node = node;
    node.handle("ping", (number, { from }) => this.#send(from, "pong", number));
    node.handle("pong", (_number, { from }) => this.#hear(from));
  }

  #send(peer, name, message) {
    try {
      this.#node.send({ node: peer, name }, message);
    } catch {
      // No link for the moment: the next message finds one or not.
    }
  }

  #hear(peer) {
    if (this.#awaited.delete(peer) && this.#awaited.size === 0) report(this.#event);
  }

  start(peers) {
    this.await(peers, "talking");
    let number = 0;
    setInterval(() => {
      for (const peer of peers) this.#send(peer, "ping", number);
      number += 1;
    }, PACE_MS);
  }

  /** Reports once each of these has answered from now on. */
  await(peers, event) {
    this.#event = event;
    this.#awaited = new Set(peers);
  }
}

async function main() {
  const { others, ...options } = parameters();
  endWithRunner();
  const node = await Foundation.start({ ...options, cluster: "bench" });
  const complete = allUp(node, others);
  const talk = new Talk(node);
  let downs = 0;
  node.on("down", () => {
    downs += 1;
  });
  const does = {
    async seed(address) {
      if (address !== node.address) await node.join([address]);
      await complete;
      report("complete");
    },
    watch(peer) {
      for (const event of ["down", "busy", "idle"]) {
        node.on(event, ({ name }) => {
          if (name === peer) report(event);
        });
      }
      report("watching");
    },
    talk: (peers) => talk.start(peers.split(",")),
    back(peers) {
      talk.await(peers.split(","), "back");
      report("waiting");
    },
    block(durationMs) {
      setImmediate(() => {
        const endMs = performance.now() + durationMs;
        while (performance.now() < endMs);
      });
    },
    downs: () => report("downs", { count: downs }),
  };
  report("listening", { address: node.address });
  for (;;) {
    const [[name, value]] = Object.entries(await told());
    await does[name](value);
  }
}

main().catch(fail);
