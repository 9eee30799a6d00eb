/** The isolate that looks names up. */

import { parentPort, workerData } from "node:worker_threads";

import { Foundation } from "foundation-runtime";

import { rate } from "../../micro/rate.mjs";

const { contender, names, timing } = workerData;

/** Turns through all names between two looks at the clock. */
const TURNS = 10;

const CONTENDERS = {
  async ours() {
    const { processRegistry } = await Foundation.attach();
    return (name) => processRegistry.lookup("production", name);
  },
  async map() {
    const production = new Map(names.map((name, index) => [name, { serial: index }]));
    const namespaces = new Map([["production", production]]);
    return (name) => namespaces.get("production")?.get(name);
  },
};

const lookUp = await CONTENDERS[contender]();
const figure = await rate(() => {
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of names) {
      if (lookUp(name) === undefined) throw new Error(`'${name}' was not found`);
    }
  }
  return TURNS * names.length;
}, timing);
parentPort.postMessage(figure);
