/** Contenders that are programs of this bench: a fresh process is asked, and reports once. */

import { withChildren } from "../processes.mjs";

/**
 * The clocks of each of two figures that share a turn; code gets warm in no less time.
 *
 * @param {import("../suites.mjs").Timing} timing
 */
export const halved = (timing) => ({ ...timing, measureMs: timing.measureMs / 2 });

const isPresent = async () => undefined;

/**
 * `pick` takes the figure or the figures from what the program reports; `absence` tells why it
 * cannot run here, undefined where it can.
 */
export function createAsked(name, module, parameters, pick, absence = isPresent) {
  return {
    name,
    absence,
    measure: () =>
      withChildren(parameters.timing.deadlineMs, async (group) => {
        const child = group.startNode(name, module, parameters);
        return pick(await child.event("result"));
      }),
  };
}
