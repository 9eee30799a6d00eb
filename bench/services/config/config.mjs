/** config: settings of files and the environment, which stay as they are once they were read. */

import { createRequire } from "node:module";

import { answer, SAMPLING_RATE, SETTINGS } from "./ask.mjs";

const requirePeer = createRequire(new URL("../../peers/package.json", import.meta.url));

const PATH = SAMPLING_RATE.join(".");

await answer(async () => {
  process.env.NODE_CONFIG = JSON.stringify(SETTINGS);
  process.env.SUPPRESS_NO_CONFIG_WARNING = "1";
  const settings = requirePeer("config");
  return { read: () => settings.get(PATH) };
});
