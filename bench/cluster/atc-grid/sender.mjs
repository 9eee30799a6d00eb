/** So many senders on one event loop; each waits for an acknowledgement after every message. */

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createMessage, stamp } from "./message.mjs";

const READY_TIMEOUT_MS = 10_000;
/** All senders together may be far behind the network. Unit: ms. */
const CALL_TIMEOUT_MS = 300_000;
const TO = { node: "receiver", name: "sink" };

/** Sends one message after the other; its own key gives each sender a lane of its own. */
async function sendAll(node, key, bytes, numbers) {
  const message = createMessage(bytes);
  const options = { key, timeoutMs: CALL_TIMEOUT_MS };
  for (const number of numbers) {
    stamp(message, number);
    const acknowledged = await node.call(TO, message, options);
    if (acknowledged !== number) throw new Error(`${number} was acknowledged as ${acknowledged}`);
  }
}

async function main() {
  const { bytes, senders, each, seed, options } = parameters();
  endWithRunner();
  const node = await Foundation.start({ name: "sender", cluster: "bench", ...options });
  await node.join([seed]);
  await node.awaitReady({ minimumMembers: 2, timeoutMs: READY_TIMEOUT_MS });
  const keys = Array.from({ length: senders }, (_, index) => `sender ${index}`);
  const numbers = Array.from({ length: each }, (_, number) => number);
  // The first one opens lanes, windows and the code.
  await Promise.all(keys.map((key) => sendAll(node, key, bytes, [each])));
  const startedAt = performance.now();
  await Promise.all(keys.map((key) => sendAll(node, key, bytes, numbers)));
  const seconds = (performance.now() - startedAt) / 1000;
  report("result", { messages: senders * each, seconds });
}

main().catch(fail);
