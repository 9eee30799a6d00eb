// Our protocol machines beside iroh-gossip's and foca's, in the same random scenarios.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prove } from "./harness/prove.mjs";

const ROOT = join(import.meta.dirname, "../..");
const MANIFEST = join(ROOT, "native/oracle/Cargo.toml");
const ARGUMENTS = ["run", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST, "--"];
/** Seeds are 32 bits there, and the last scenario's has to fit too. */
const FIRST_SEED_MAX = 2 ** 31;

/** @param {import("./harness/prove.mjs").Context} context */
async function compare({ cycles, seed, progress, expect }) {
  const first = seed % FIRST_SEED_MAX;
  const wanted = ["--seeds", String(cycles), "--first", String(first)];
  const { status, stdout, error } = spawnSync("cargo", [...ARGUMENTS, ...wanted], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error) throw new Error("no cargo: install the Rust toolchain", { cause: error });
  const lines = stdout.trim().split("\n");
  lines.forEach(progress);
  const worse = lines.filter((line) => line.startsWith("WORSE")).join("; ");
  expect(status === 0, `ended with ${status}: ${worse}`);
  return { scenarios: cycles, firstSeed: first, last: lines.at(-1) };
}

// Not in the short run: other people's crates have to be fetched and built for it.
const title = "our machines do no worse than other people's in the same scenarios";
await prove({ title, cycles: { full: 200, short: 0 }, run: compare });
