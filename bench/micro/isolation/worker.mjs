/** The heavy process: begins its work when told to, and hears nothing from then on. */

import { GenServer } from "foundation-runtime";

import { WORKS } from "./work.mjs";

/** The answer has to be on its way before the work begins. Unit: ms. */
const BEGIN_AFTER_MS = 20;

/** Told the name of a work, it answers that it begins. */
export class Worker extends GenServer {
  handleCall(work) {
    setTimeout(() => WORKS[work](Number.POSITIVE_INFINITY), BEGIN_AFTER_MS);
    return "begins";
  }
}
