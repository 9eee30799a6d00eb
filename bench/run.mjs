/**
 * `npm run bench`: runs suites, prints a block for each case, and exits 1 when a contender failed.
 */

import { appendFileSync, writeFileSync } from "node:fs";

import { parseArguments, UsageError, usage } from "./arguments.mjs";
import { calibrate } from "./calibrate.mjs";
import { machineFacts } from "./machine.mjs";
import { createRecords } from "./record.mjs";
import { formatMachine, formatRecord, TurnLine } from "./report/printed.mjs";
import { takeFigures } from "./rounds.mjs";
import { SUITES, TIMINGS } from "./suites.mjs";

/** Whether a case or one of its variants has the text in its name; variants share their rivals. */
function isNamed(benchCase, text) {
  return [benchCase, ...benchCase.ours].some((each) => each.case.includes(text));
}

/** Runs one suite and returns its records; each is printed as soon as it is complete. */
async function runSuite(suite, options) {
  const records = [];
  const turnLine = new TurnLine();
  const timing = options.isQuick ? TIMINGS.quick : TIMINGS.full;
  for (const benchCase of suite.cases(timing)) {
    if (options.caseText !== undefined && !isNamed(benchCase, options.caseText)) continue;
    const figures = await takeFigures(benchCase, {
      rounds: options.rounds,
      includesOurs: options.includesOurs,
      includesPeers: options.includesPeers,
      onTurn(contender, round) {
        const name = contender.name ?? `ours, ${contender.case}`;
        turnLine.show(`${suite.name} · ${benchCase.case} · ${round}/${options.rounds} · ${name}`);
      },
    });
    turnLine.clear();
    if (figures.leftOut.size > 0) {
      const [[, reason]] = figures.leftOut;
      const names = [...figures.leftOut.keys()].join("; ");
      console.log(`\n${suite.name} · left out: ${names} (${reason})`);
    }
    const measured = { suite: suite.name, benchCase, figures };
    for (const record of createRecords(measured, options.includesOurs)) {
      console.log(formatRecord(record, figures.absent));
      records.push(record);
    }
  }
  return records;
}

/** A file that cannot be written is a mistake to hear of before the run, not after it. */
function assertWritable(file) {
  try {
    appendFileSync(file, "");
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${error.message}`, { cause: error });
  }
}

async function main() {
  if (process.argv[2] === "calibrate") {
    console.log(formatMachine(await machineFacts()));
    await calibrate(process.argv.slice(3), TIMINGS);
    return 0;
  }
  const options = parseArguments(process.argv.slice(2), SUITES);
  if (options.wantsHelp) {
    console.log(usage(SUITES));
    return 0;
  }
  if (options.jsonFile !== undefined) assertWritable(options.jsonFile);
  const facts = await machineFacts();
  console.log(formatMachine(facts));
  if (options.isQuick) console.log("quick: a look, not figures to quote");
  const records = [];
  for (const suite of SUITES.filter((each) => options.suites.includes(each.name))) {
    records.push(...(await runSuite(suite, options)));
  }
  if (records.length === 0) throw new UsageError(`no case contains "${options.caseText}"`);
  if (options.jsonFile !== undefined) {
    // Each record carries the machine: figures of two machines may end up in one list.
    const list = records.map((record) => ({ ...record, machine: facts }));
    writeFileSync(options.jsonFile, `${JSON.stringify(list, null, 2)}\n`);
  }
  const failures = records.filter((record) => record.failed !== undefined);
  if (failures.length === 0) return 0;
  console.error(`\n${failures.length} of ${records.length} cases have a contender that failed`);
  return 1;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error(error instanceof UsageError ? `bench: ${error.message}` : error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
