/** The command line of the bench. */

import { parseArgs } from "node:util";

/** A mistake on the command line: its message is all that is printed. */
export class UsageError extends Error {}

/** @param {readonly { name: string, question: string }[]} suites */
export function usage(suites) {
  const width = Math.max(...suites.map((suite) => suite.name.length)) + 2;
  return [
    "Usage: npm run bench -- [suite ...] [options]",
    "",
    "Measures Foundation beside its rivals, in turn and in fresh processes.",
    "",
    "Suites (default: all):",
    ...suites.map((suite) => `  ${suite.name.padEnd(width)}${suite.question}`),
    "",
    "Sizes: npm run bench -- calibrate [OPTION ...] [--quick] [--rounds N]",
    "",
    "Options:",
    "  --quick         fewer and shorter rounds: a look, not a figure to quote",
    "  --json FILE     write the records as JSON",
    "  --case TEXT     only cases whose name contains TEXT",
    "  --rounds N      rounds of each case (default 5, with --quick 3)",
    "  --peers-only    measure the rivals alone",
    "  --ours-only     measure no rival",
    "  --help          show this",
  ].join("\n");
}

/**
 * @param {readonly string[]} words
 * @param {readonly { name: string }[]} suites
 */
export function parseArguments(words, suites) {
  const { values, positionals } = parseWords(words);
  const names = suites.map((suite) => suite.name);
  for (const name of positionals) {
    if (!names.includes(name)) {
      throw new UsageError(`unknown suite "${name}"; the suites are: ${names.join(", ")}`);
    }
  }
  if (values.rounds !== undefined && !/^[1-9]\d{0,2}$/.test(values.rounds)) {
    throw new UsageError(`--rounds must be a whole number from 1 to 999, not "${values.rounds}"`);
  }
  if (values["peers-only"] && values["ours-only"]) {
    throw new UsageError("--peers-only and --ours-only leave nothing to measure");
  }
  const isQuick = values.quick === true;
  return {
    suites: positionals.length === 0 ? names : [...new Set(positionals)],
    isQuick,
    jsonFile: values.json,
    caseText: values.case,
    rounds: values.rounds === undefined ? (isQuick ? 3 : 5) : Number(values.rounds),
    includesOurs: values["peers-only"] !== true,
    includesPeers: values["ours-only"] !== true,
    wantsHelp: values.help === true,
  };
}

function parseWords(words) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        quick: { type: "boolean" },
        json: { type: "string" },
        case: { type: "string" },
        rounds: { type: "string" },
        "peers-only": { type: "boolean" },
        "ours-only": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error.message, { cause: error });
  }
}
