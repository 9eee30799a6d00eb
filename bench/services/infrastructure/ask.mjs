/** The clock and the function that are the same for all: as many calls at a time as a pool has. */

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { rate } from "../../micro/rate.mjs";

const AT_A_TIME = 10;
const ROUNDS = 50;

/** What is protected: it takes a turn of the microtask queue, as what is answered at once does. */
export async function work(value) {
  await undefined;
  return value + 1;
}

/**
 * @param {(layer: string) => Promise<(value: number) => Promise<number>>} open makes the protected
 *   function; it answers value + 1
 */
export async function answer(open) {
  try {
    const { layer, timing } = parameters();
    endWithRunner();
    const call = await open(layer);
    let next = 0;
    const one = async () => {
      const value = next++;
      const answered = await call(value);
      if (answered !== value + 1) throw new Error(`${value} was answered with ${answered}`);
    };
    const figure = await rate(async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(Array.from({ length: AT_A_TIME }, one));
      }
      return AT_A_TIME * ROUNDS;
    }, timing);
    report("result", { figure });
  } catch (error) {
    fail(error);
  }
}
