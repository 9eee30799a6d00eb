/** convict: a schema of settings, each checked when it is changed. */

import { createRequire } from "node:module";

import { answer, SAMPLING_RATE } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));
const convict = requirePeer("convict");

const PATH = SAMPLING_RATE.join(".");

function checkShare(value) {
  if (!(value >= 0 && value <= 1)) throw new Error("must be from 0 to 1");
}

await answer(async () => {
  const samplingRate = { format: checkShare, default: 0.5 };
  const strategy = { format: ["fast", "balanced", "thorough"], default: "balanced" };
  const settings = convict({ ai: { planning: { samplingRate, strategy } } });
  return {
    read: () => settings.get(PATH),
    update(value) {
      settings.set(PATH, value);
      settings.validate();
    },
  };
});
