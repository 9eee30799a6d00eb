#!/usr/bin/env node
// Fails where a test of Foundation 1.x has none of ours that passed in the last `npm test`.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PAGE_FILE, RAN_FILE, unproven } from "./ran.mjs";

const SHOWN_MAX = 50;
const root = join(import.meta.dirname, "../..");
const ranFile = join(root, RAN_FILE);

if (!existsSync(ranFile)) {
  console.error(`there is no ${RAN_FILE}: \`npm test\` writes it`);
  process.exit(1);
}
const problems = unproven(
  readFileSync(join(root, PAGE_FILE), "utf8"),
  JSON.parse(readFileSync(ranFile, "utf8")),
);
for (const problem of problems.slice(0, SHOWN_MAX)) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} lines of ${PAGE_FILE} are not proven by the last \`npm test\``);
  process.exit(1);
}
console.log(`every line of ${PAGE_FILE} has a test that passed, or does not apply`);
