/** What this process takes once V8 has collected what nobody holds. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** V8's own collection, in full and before it returns. @returns {() => void} */
function collector() {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

let collect;

/** @returns {{ heapBytes: number, residentBytes: number }} */
export function collected() {
  collect ??= collector();
  // What the first one finalises the second one frees.
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss };
}
