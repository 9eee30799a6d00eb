/** The least that can be: the path is walked through a frozen object, and nothing is checked. */

import { answer, SAMPLING_RATE, SETTINGS } from "./ask.mjs";

const changed = (object, [key, ...rest], value) =>
  Object.freeze({
    ...object,
    [key]: rest.length === 0 ? value : changed(object[key], rest, value),
  });

await answer(async () => {
  let settings = SETTINGS;
  return {
    read() {
      let found = settings;
      for (const key of SAMPLING_RATE) found = found[key];
      return found;
    },
    update(value) {
      settings = changed(settings, SAMPLING_RATE, value);
    },
  };
});
