/** Code that records an event at each call; the last thousand are kept for whoever asks. */

import { channel } from "node:diagnostics_channel";
import { PerformanceObserver, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";

import { Foundation } from "foundation-runtime";

import { endWithRunner, fail, parameters, report } from "../../child.mjs";
import { rate } from "../../micro/rate.mjs";

const KEPT = 1_000;
/** Of a turn between two looks at the clock. */
const EVENTS = 1_000;
const TYPE = "user_action";

/** @typedef {{ record: (data: object) => void, recorded: () => number }} Recorder */

/** @returns {Recorder} */
function array() {
  const events = new Array(KEPT);
  let count = 0;
  return {
    record(data) {
      events[count++ % KEPT] = { type: TYPE, data, timestampMs: Date.now() };
    },
    recorded: () => count,
  };
}

const CONTENDERS = {
  async ours() {
    const options = { name: "solo", cluster: "bench", listen: "127.0.0.1:0" };
    const { capture } = await Foundation.start({ ...options, capture: { store: false } });
    return {
      record: (data) => void capture.record(TYPE, data),
      recorded: () => capture.stats().totalWrites,
    };
  },
  /** The least that can be; no other isolate sees it. */
  async array() {
    return array();
  },
  async "diagnostics-channel"() {
    const actions = channel(TYPE);
    const { record, recorded } = array();
    actions.subscribe(record);
    return { record: (data) => actions.publish(data), recorded };
  },
  async "performance-mark"() {
    let count = 0;
    const observer = new PerformanceObserver((list) => {
      count += list.getEntries().length;
      performance.clearMarks();
    });
    observer.observe({ entryTypes: ["mark"] });
    return {
      record: (detail) => void performance.mark(TYPE, { detail }),
      async recorded() {
        for (let turns = 0; turns < 10; turns++) await turn();
        return count;
      },
    };
  },
};

try {
  const { contender, timing } = parameters();
  endWithRunner();
  const { record, recorded } = await CONTENDERS[contender]();
  let done = 0;
  const figure = await rate(async () => {
    for (let index = 0; index < EVENTS; index++) record({ user: index, action: "click", ok: true });
    done += EVENTS;
    await turn(); // so that observers get theirs
    return EVENTS;
  }, timing);
  const known = await recorded();
  if (known !== done) throw new Error(`${done} events, and ${known} are known`);
  report("result", { figure });
} catch (error) {
  fail(error);
}
