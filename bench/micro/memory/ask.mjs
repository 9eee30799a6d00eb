/** Programs of the suite `memory`: each is asked once, and answers with figures. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";

/** @param {(asked: any) => Promise<Record<string, number>>} figuresOf */
export async function answerMemory(figuresOf) {
  try {
    endWithRunner();
    report("result", { figures: await figuresOf(parameters()) });
  } catch (error) {
    fail(error);
  }
}
