/** The least that can be: numbers in variables, in a map by label, and in an array by bound. */

import { answer, BOUNDS_MS, PATHS } from "./ask.mjs";

await answer(async () => {
  let counted = 0;
  const labelled = new Map(PATHS.map((path) => [path, 0]));
  const buckets = new Float64Array(BOUNDS_MS.length + 1);
  return {
    count() {
      counted++;
    },
    countAt(path) {
      labelled.set(path, labelled.get(path) + 1);
    },
    measure(ms) {
      let at = 0;
      while (at < BOUNDS_MS.length && ms > BOUNDS_MS[at]) at++;
      buckets[at]++;
    },
    events() {
      const both = [...labelled.values(), ...buckets];
      return both.reduce((sum, count) => sum + count, counted);
    },
  };
});
