/** Texts that stand for themselves: looked up when they are known, taken in when they are new. */

import { AtomTable } from "foundation-runtime";

import { rate } from "../rate.mjs";
import { answerMemory } from "./ask.mjs";

/** Texts of one table; each turn of the new ones begins with an empty one. */
const TEXTS = 10_000;

/** What a table gives a text has to be the same for the same text. */
const CONTENDERS = {
  ours() {
    const table = new AtomTable();
    return (text) => table.intern(text);
  },
  map() {
    const numbers = new Map();
    return (text) => {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, numbers.size);
      return numbers.size - 1;
    };
  },
  /** The registry of V8: one of the isolate, without a bound, and nothing leaves it. */
  symbol: () => (text) => Symbol.for(text),
};

/** Texts as they come from outside: flat, and not known to V8 as names. */
const textsOf = (round) =>
  Array.from({ length: TEXTS }, (_, index) => Buffer.from(`order.${round}.${index}`).toString());

await answerMemory(async ({ contender, timing }) => {
  const open = CONTENDERS[contender];
  const known = textsOf("known");
  const intern = open();
  const first = known.map(intern);
  const lookups = await rate(() => {
    for (let index = 0; index < TEXTS; index++) {
      if (intern(known[index]) !== first[index]) throw new Error("a text has two numbers");
    }
    return TEXTS;
  }, timing);
  let round = 0;
  let [texts, passedMs] = [0, 0];
  // The texts are made while no clock runs.
  while (passedMs < timing.measureMs) {
    const fresh = textsOf(round++);
    const startedAt = performance.now();
    const internFresh = open();
    for (let index = 0; index < TEXTS; index++) internFresh(fresh[index]);
    passedMs += performance.now() - startedAt;
    texts += TEXTS;
  }
  return { lookups, news: (texts * 1_000) / passedMs };
});
