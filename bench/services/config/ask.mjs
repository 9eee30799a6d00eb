/** The clocks of reads and changes, the same for all. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { rate } from "../../micro/rate.mjs";

/** Of a turn between two looks at the clock. */
const READS = 10_000;
const UPDATES = 100;

/** What is read: a number among other settings, three steps deep. */
export const SETTINGS = { ai: { planning: { samplingRate: 0.5, strategy: "balanced" } } };
/** The way to it. */
export const SAMPLING_RATE = ["ai", "planning", "samplingRate"];

/**
 * @typedef {object} Settings
 * @property {() => number} read
 * @property {(value: number) => void} [update] absent where nothing can be changed
 */

/** @param {() => Promise<Settings>} open */
export async function answer(open) {
  try {
    const { timing } = parameters();
    endWithRunner();
    const { read, update } = await open();
    let [value, next] = [read(), 0];
    const reads = await rate(() => {
      for (let index = 0; index < READS; index++) {
        if (read() !== value) throw new Error(`${read()} was read, and ${value} was there`);
      }
      return READS;
    }, timing);
    if (update === undefined) return report("result", { figures: { reads } });
    const updates = await rate(() => {
      for (let index = 0; index < UPDATES; index++) {
        next++;
        value = (next & 0x3ff) / 1_024;
        update(value);
      }
      if (read() !== value) throw new Error(`${value} was written, and ${read()} is there`);
      return UPDATES;
    }, timing);
    report("result", { figures: { reads, updates } });
  } catch (error) {
    fail(error);
  }
}
