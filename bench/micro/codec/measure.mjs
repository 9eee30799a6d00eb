/** One codec on one shape and one operation, in a process of its own. */

import { deepStrictEqual } from "node:assert";

import { Bench } from "tinybench";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { createObject } from "../../cluster/stream.mjs";
import { CODECS } from "./codecs.mjs";

/** Values of one iteration: many enough that reading the clock around them does not show. */
const VALUES = 128;

const SHAPES = {
  "small object": (index) => createObject(index, 0),
  "nested record": (index) => ({
    id: index,
    title: `order ${index}`,
    buyer: { name: `buyer ${index % 17}`, country: "NL", verified: index % 2 === 0 },
    lines: Array.from({ length: 8 }, (_, line) => ({
      product: `product-${(index * 8 + line) % 512}`,
      quantity: (line % 3) + 1,
      price: line * 1.25 + index,
    })),
    tags: ["new", "express", `lane-${index % 4}`],
    note: null,
  }),
};

let kept;

/** One value after the other, checked before. */
function bodiesOf({ encode, decode, keep = (encoded) => encoded }, values) {
  // Also defines the records of the stream, so that the measured part is the steady state.
  for (const value of values) deepStrictEqual(decode(encode(value)), value);
  const encoded = values.map((value) => keep(encode(value)));
  return {
    encode() {
      for (let index = 0; index < VALUES; index += 1) kept = encode(values[index]);
    },
    decode() {
      for (let index = 0; index < VALUES; index += 1) kept = decode(encoded[index]);
    },
    "round trip"() {
      for (let index = 0; index < VALUES; index += 1) kept = decode(encode(values[index]));
    },
  };
}

/** All values at once, checked before. */
function bundledBodiesOf({ encodeAll, decodeAll }, values) {
  deepStrictEqual(decodeAll(encodeAll(values)), values);
  const encoded = encodeAll(values);
  return {
    encode() {
      kept = encodeAll(values);
    },
    decode() {
      kept = decodeAll(encoded);
    },
    "round trip"() {
      kept = decodeAll(encodeAll(values));
    },
  };
}

async function main() {
  const { codec: name, shape, operation, timing } = parameters();
  endWithRunner();
  const codec = await CODECS[name]();
  const values = Array.from({ length: VALUES }, (_, index) => SHAPES[shape](index));
  const bodies = codec.encodeAll ? bundledBodiesOf(codec, values) : bodiesOf(codec, values);
  const bench = new Bench({ warmupTime: timing.warmMs, time: timing.measureMs, throws: true });
  bench.add(operation, bodies[operation]);
  const [task] = await bench.run();
  if (kept === undefined) throw new Error("nothing was measured");
  report("result", { operationsPerSecond: (VALUES * 1000) / task.result.latency.mean });
}

main().catch(fail);
