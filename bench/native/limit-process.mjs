// One end of the limit program, in a process of its own: `receive` or `send`, started by limit.mjs
// over an IPC channel. Ends with its parent.

import { loadYardstick } from "./build.mjs";
import { allocateRing, LAST_BYTE, RingReader, RingWriter } from "./ring.mjs";

/** Batches of one turn of the event loop, so that timers and messages are served in between. */
const TURN_BATCHES = 256;

const [, , role, recordText, capacityText, portText] = process.argv;
const recordBytes = Number(recordText);
const yardstick = await builtYardstick();
const memory = allocateRing(yardstick, Number(capacityText));

async function builtYardstick() {
  const built = await loadYardstick();
  if (built === undefined) throw new Error("the yard-stick cannot be built on this machine");
  return built;
}

/**
 * Runs `step` until it has nothing to do; the doorbell starts it again.
 *
 * @param {() => boolean} step true when it must wait for the doorbell
 */
function repeat(step) {
  const turn = () => {
    if (!step()) setImmediate(turn);
  };
  return turn;
}

function receive() {
  const drain = repeat(() => reader.drain(TURN_BATCHES));
  const { pipe, port } = yardstick.receiveInto(memory, drain);
  const reader = new RingReader(memory, recordBytes, () => yardstick.wake(pipe));
  process.on("message", () => {
    const atNs = String(process.hrtime.bigint());
    process.send?.({ records: reader.records, atNs, ...yardstick.pipeFigures(pipe) });
  });
  drain();
  process.send?.({ port });
}

function send() {
  const payload = new Uint8Array(recordBytes).fill(LAST_BYTE);
  const fill = repeat(() => writer.fill(payload, TURN_BATCHES));
  const pipe = yardstick.sendFrom(memory, fill, Number(portText));
  const writer = new RingWriter(memory, recordBytes, () => yardstick.wake(pipe));
  process.on("message", () => process.send?.(yardstick.pipeFigures(pipe)));
  fill();
}

process.on("disconnect", () => process.exit());
if (role === "receive") receive();
else send();
