/** The events and their clocks, the same for all. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { rate } from "../../micro/rate.mjs";

/** Of a turn between two looks at the clock. */
const EVENTS = 10_000;

/** Values of the label. */
export const PATHS = Array.from({ length: 10 }, (_, path) => `/path${path}`);
/** Bounds of a histogram that has some: those of prom-client, in ms. */
export const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/**
 * @typedef {object} Meter
 * @property {() => void} count
 * @property {(path: string) => void} countAt counts with the label
 * @property {(ms: number) => void} measure adds to a histogram
 * @property {() => number | Promise<number>} events how many of the three there were
 */

/** @param {() => Promise<Meter>} open */
export async function answer(open) {
  try {
    const { timing } = parameters();
    endWithRunner();
    const { count, countAt, measure, events } = await open();
    let done = 0;
    const figureOf = (one) =>
      rate(() => {
        for (let index = 0; index < EVENTS; index++) one(index);
        done += EVENTS;
        return EVENTS;
      }, timing);
    const figures = {
      counted: await figureOf(() => count()),
      labelled: await figureOf((index) => countAt(PATHS[index % PATHS.length])),
      measured: await figureOf((index) => measure((index % 1_000) + 0.5)),
    };
    const known = await events();
    if (known !== done) throw new Error(`${done} events, and ${known} are known`);
    report("result", { figures });
  } catch (error) {
    fail(error);
  }
}
