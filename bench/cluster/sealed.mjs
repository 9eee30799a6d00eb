/** What sealing costs: ours with sealed links beside ours in plain text, both on loopback. */

import { randomBytes } from "node:crypto";

import { createPair } from "./pair.mjs";

const OURS = {
  receiver: new URL("ours/receiver.mjs", import.meta.url),
  sender: new URL("ours/sender.mjs", import.meta.url),
};
const KIB = 1024;

/** Sizes, and the share of the plain rate that is aimed at. */
const CASES = [
  { name: "64 B view", bytes: 64 },
  { name: "1 KiB view", bytes: KIB, ratio: 0.6 },
  { name: "64 KiB view", bytes: 64 * KIB, ratio: 0.6 },
  { name: "1 MiB view", bytes: KIB * KIB, ratio: 0.6 },
];

/**
 * Four sizes over links that differ in nothing but their seal.
 *
 * @type {import("../suites.mjs").Suite}
 */
export const sealed = {
  name: "sealed",
  question: "messages/s between two processes over a sealed link, beside plain text",
  cases: (timing) => {
    const secret = randomBytes(32).toString("hex");
    return CASES.map(({ name, bytes, ratio }) => {
      const payload = { name, kind: "bytes", bytes };
      const pair = (contender, tuning) =>
        createPair({
          name: contender,
          ...OURS,
          listener: "receiver",
          timing,
          parameters: { payload, bytes: "view", tuning },
        });
      const targets = ratio === undefined ? undefined : [{ vs: "plain", ratio }];
      const ours = pair("ours", { secret, encrypt: true });
      return {
        case: name,
        unit: "messages/s",
        better: "higher",
        ours: [{ case: name, targets, measure: ours.measure }],
        peers: [pair("plain", { secret })],
      };
    });
  },
};
