// Every bar of the overlays in the simulator, with all seeds of the full tables: 1,000 and 10,000
// nodes, 1,000 switches, 100 virtual hours, 90 % killed at once in 20 seeds.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { prove } from "./harness/prove.mjs";

const ROOT = join(import.meta.dirname, "../..");
const MANIFEST = join(ROOT, "native/Cargo.toml");
const BARS = ["-p", "foundation-sim", "--bin", "bars", "--", "--full"];
const ARGUMENTS = ["run", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST, ...BARS];

/** @param {import("./harness/prove.mjs").Context} context */
async function bars({ progress, expect }) {
  const child = spawn("cargo", ARGUMENTS, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(new Error("no cargo: install the Rust toolchain", { cause }));
    });
    child.once("close", (code, signal) => resolve(signal ?? code));
  });
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) {
    progress(line);
    expect(!/\bMISSES\b/.test(line), line);
    last = line;
  }
  const end = await ended;
  expect(end === 0, `ended with ${end}: ${last}`);
  return { last };
}

// Seeds are those of the tables. The short run leaves it to the lane `sim`, which has some of each.
const title = "each bar of the overlays holds in each seed of the full tables";
await prove({ title, cycles: { full: 1, short: 0 }, run: bars });
