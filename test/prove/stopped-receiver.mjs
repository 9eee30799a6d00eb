// A receiver that reads nothing for two minutes: the integration test of it, with a longer stop. A
// cycle is a second of the stop.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { prove } from "./harness/prove.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILE = "test/integration/hostile-stops.test.ts";
/** What a test takes beside the stop. Unit: ms. Only one that hangs meets it. */
const BESIDE_MS = 120_000;

async function run({ cycles, progress, expect }) {
  const stoppedMs = cycles * 1_000;
  progress(`both tests, each with a stop of ${cycles} s`);
  const vitest = spawn(
    process.execPath,
    [
      ...["node_modules/vitest/vitest.mjs", "run", FILE, "--project", "integration"],
      ...["--reporter", "json", "--testTimeout", String(stoppedMs + BESIDE_MS)],
    ],
    {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, FOUNDATION_TEST_STOPPED_MS: String(stoppedMs) },
    },
  );
  let output = "";
  vitest.stdout.on("data", (chunk) => {
    output += chunk;
  });
  await once(vitest, "close");
  const report = JSON.parse(output.slice(output.indexOf("{")));
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  for (const { fullName, failureMessages } of tests)
    for (const failure of failureMessages) expect(false, `${fullName}: ${failure}`);
  expect(tests.length >= 2, `${tests.length} tests ran`);
  expect(report.success, "the tests did not pass");
  return { stoppedMs, testsPassed: report.numPassedTests };
}

const title = "a receiver that reads nothing costs its sender bounded memory, and others nothing";
await prove({ title, cycles: { full: 120, short: 4 }, run });
