/** A server that a heavy process is started from. */

import { GenServer } from "foundation-runtime/beam";

/** Answers a number with the next one. */
export class Successor extends GenServer {
  handleCall(value) {
    return value + 1;
  }
}
