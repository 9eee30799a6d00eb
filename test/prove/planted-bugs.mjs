// Planted bugs of the machines are found by seeds of the simulator that are green without them.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prove } from "./harness/prove.mjs";

const MANIFEST = join(import.meta.dirname, "../../native/Cargo.toml");
const TEST = ["-p", "foundation-sim", "--features", "planted", "--test", "planted"];
const HUNT = ["test", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST, ...TEST];

/** @param {import("./harness/prove.mjs").Context} context */
async function hunt({ progress, expect }) {
  const options = /** @type {const} */ ({ encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const { status, stdout, error } = spawnSync("cargo", [...HUNT, "--", "--nocapture"], options);
  if (error) throw new Error("no cargo: install the Rust toolchain", { cause: error });
  const lines = stdout.trim().split("\n");
  lines.forEach(progress);
  expect(status === 0, `ended with ${status}`);
  return { lines: lines.length };
}

const title = "planted bugs of the protocol machines are found within 200 seeds";
await prove({ title, cycles: { full: 1, short: 0 }, run: hunt });
