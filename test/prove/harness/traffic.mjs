import { setImmediate as turn } from "node:timers/promises";
import { Foundation } from "../../../dist/ts/index.js";

/** Starts nodes that all know each other, the first one as the others' seed. */
export async function startNodes(names, options = {}) {
  const nodes = [];
  for (const name of names) {
    const seeds = nodes.length === 0 ? [] : [nodes[0].address];
    nodes.push(await Foundation.start({ ...options, name, seeds }));
  }
  const minimumMembers = names.length;
  await Promise.all(nodes.map((node) => node.awaitReady({ minimumMembers })));
  return nodes;
}

/** Sends until told to stop, one burst a turn of the loop, within what is accepted. */
export async function flood(node, to, message, isStopped = () => false) {
  while (!isStopped()) {
    for (let sent = 0; sent < 8 && !isStopped(); sent += 1) {
      try {
        if (!node.send(to, message)) break;
      } catch (cause) {
        if (cause.code === "node_left") return;
        if (cause.code !== "noconnection") throw new Error(`send: ${cause.code}`, { cause });
      }
    }
    await turn();
  }
}

/** Calls without end; an answer may well be that the receiver is gone. */
export async function callForEver(node, to, message, isStopped = () => false) {
  const expected = new Set(["noproc", "timeout", "noconnection", "node_left", "arena_exhausted"]);
  while (!isStopped()) {
    await node.call(to, message, { timeoutMs: 2_000 }).catch(({ code }) => {
      if (!expected.has(code)) throw new Error(`call: ${code}`);
    });
    await turn();
  }
}
