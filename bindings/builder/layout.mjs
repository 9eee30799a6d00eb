import { join } from "node:path";
import { fingerprint, Stamp } from "./stamp.mjs";
import { runTool } from "./tool.mjs";

const GENERATOR = "bindings/generate.mjs";

const INPUTS = ["dist/bindings/foundation_core.node", GENERATOR];

/**
 * Writes the offsets that TypeScript reads shared memory by, as the core that was just built has
 * them: the two sides cannot drift apart.
 *
 * Output: `bindings/generated/layout.ts`, written only when its text changes. It is committed, so
 * that a change of the layout shows in review.
 *
 * @param {import("../build.mjs").BuildContext} context
 */
export async function buildLayout({ root, stamps, isQuiet, report }) {
  const stamp = new Stamp(stamps, "layout");
  const print = fingerprint(root, INPUTS, {});
  if (stamp.matches(print, [join(root, "bindings/generated/layout.ts")])) {
    return report.upToDate("layout");
  }
  const finished = report.started("layout");
  stamp.clear();
  // In a process of its own: the build itself never loads what it builds.
  await runTool(process.execPath, [join(root, GENERATOR)], {
    cwd: root,
    isQuiet,
    failure: "the layout cannot be read from the native core",
  });
  stamp.write(print);
  finished();
}
