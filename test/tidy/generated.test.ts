import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

function run(command: string, ...parameters: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, parameters, {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { status, output: `${stdout}${stderr}` };
}

// What generate.sh answers when the one flatc that fits the flatbuffers crate is not installed.
const NO_MATCHING_FLATC = 3;

describe("generated files", () => {
  test("bindings/generated is what its generator prints", (context) => {
    const written = readdirSync(join(ROOT, "bindings/generated"));
    // The build itself writes core.d.ts, from the compiled addon; everything else is this tool's.
    const isNeeded = written.some((name) => name !== "core.d.ts");
    const isThere = existsSync(join(ROOT, "bindings/generate.mjs"));
    if (!isNeeded && !isThere) context.skip("not checked: nothing is generated yet");
    const { status, output } = run(process.execPath, "bindings/generate.mjs", "--check");
    expect(status, output).toBe(0);
  });

  test("the control schema's code is what flatc prints", (context) => {
    const { status, output } = run("sh", "native/schema/generate.sh", "--check");
    if (status === NO_MATCHING_FLATC) context.skip(`not checked: ${output.trim()}`);
    expect(status, output).toBe(0);
  });
});
