// Every fuzz target of the core under AddressSanitizer, so many executions each.
import { availableParallelism } from "node:os";
import { build, findPlanted, reasons, replay, run, targets } from "../../native/fuzz/harness.mjs";
import { prove } from "./harness/prove.mjs";

/** Targets that run at a time. */
const AT_ONCE_MAX = 2;
/** Targets that take longest begin first, so that none is left over alone. */
const LONGEST_FIRST = ["cluster_messages", "handshake_machine", "link_frames", "record_open"];
/**
 * What one execution of a target stands for: a whole node is set up and lives for seconds there.
 *
 * @type {Record<string, number>}
 */
const WEIGHT = { cluster_messages: 20 };

/** @param {import("./harness/prove.mjs").Context} context */
async function fuzz({ cycles, random, progress, expect }) {
  const programs = build();
  const planted = await findPlanted(programs);
  /** @type {Record<string, unknown>} */
  const figures = { plantedOverflow: `found after ${planted.executions}` };
  const others = targets().filter((target) => !LONGEST_FIRST.includes(target));
  const waiting = [...LONGEST_FIRST, ...others].map((target) => ({
    target,
    seed: 1 + Math.floor(random() * (2 ** 32 - 2)),
  }));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { target, seed } = next;
      const runs = Math.ceil(cycles / (WEIGHT[target] ?? 1));
      const outcome = await run(programs, target, { runs, seed });
      const { executions, seconds, coverage, finding } = outcome;
      const perSecond = Math.round(executions / seconds);
      figures[target] = { executions, perSecond, coverage, seed };
      progress(`${target}: ${executions} executions, ${perSecond} a second, coverage ${coverage}`);
      if (finding === undefined) continue;
      const again = replay(programs, outcome);
      expect(false, `${target}: ${[...reasons(outcome.log), `again: ${again}`].join("\n    ")}`);
    }
  };
  const count = Math.min(AT_ONCE_MAX, availableParallelism());
  await Promise.all(Array.from({ length: count }, work));
  return figures;
}

const title = "what reads bytes of strangers and peers stands any input, under AddressSanitizer";
await prove({ title, cycles: { full: 10_000_000, short: 30_000 }, run: fuzz });
