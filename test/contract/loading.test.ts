import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scenario } from "./child-program.ts";

const PROGRAM = "./loading-scenarios.mjs";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ADDON = join(ROOT, "dist/bindings/foundation_core.node");
const SHIM = join(ROOT, `dist/bindings/shim.abi${process.versions.modules}.node`);

/** A copy of the build without any native part, as an installation for another platform has it. */
let bare = "";

beforeAll(async () => {
  bare = await mkdtemp(join(tmpdir(), "foundation-loading-"));
  const filter = (path: string): boolean => !path.endsWith(".node");
  await cp(join(ROOT, "dist/ts"), join(bare, "dist/ts"), { recursive: true, filter });
  await cp(join(ROOT, "dist/bindings"), join(bare, "dist/bindings"), { recursive: true, filter });
  await cp(join(ROOT, "package.json"), join(bare, "package.json"));
  await symlink(join(ROOT, "node_modules"), join(bare, "node_modules"));
});

afterAll(async () => rm(bare, { recursive: true, force: true }));

interface Failure {
  readonly code: string;
  readonly message: string;
}

describe("the native core", () => {
  test("is looked for further if FOUNDATION_NATIVE_PATH names nothing", async () => {
    const environment = { FOUNDATION_NATIVE_PATH: join(bare, "no-such-file.node") };
    const found = await scenario(PROGRAM, [ROOT], { environment });
    expect(found).toMatchObject({ node: "home" });
  });

  test("is taken from FOUNDATION_NATIVE_PATH", async () => {
    const environment = { FOUNDATION_NATIVE_PATH: ADDON };
    const found = await scenario(PROGRAM, [bare], { environment });
    expect(found).toMatchObject({ node: "home" });
  });

  test("that is missing is one error with all that was tried and why it failed", async () => {
    const given = join(bare, "given.node");
    const environment = { FOUNDATION_NATIVE_PATH: given };
    const { code, message } = await scenario<Failure>(PROGRAM, [bare], { environment });
    expect(code).toBe("native_missing");
    const lines = message.split("\n");
    const platform = `${process.platform}-${process.arch} on Node ${process.versions.node}`;
    expect(lines[0]).toBe(`no native core for ${platform}. Tried:`);
    const packageName = `foundation-runtime-${process.platform}-${process.arch}`;
    expect(lines[1]).toContain(`${given}: Cannot find module`);
    expect(lines[2]).toMatch(
      new RegExp(`${packageName}(-gnu|-musl)?/foundation.node: Cannot find`),
    );
    expect(lines[3]).toContain(join(bare, "dist/bindings/foundation_core.node"));
    expect(lines[4]).toMatch(new RegExp(`^Install ${packageName}.*npm run build`));
  });

  test("that is no addon is named with the loader's reason", async () => {
    const environment = { FOUNDATION_NATIVE_PATH: join(bare, "package.json.node") };
    await cp(join(ROOT, "package.json"), environment.FOUNDATION_NATIVE_PATH);
    const { code, message } = await scenario<Failure>(PROGRAM, [bare], { environment });
    expect(code).toBe("native_missing");
    // The words are those of the system's loader: on Linux about its ELF header.
    expect(message.split("\n")[1]).toContain(`${environment.FOUNDATION_NATIVE_PATH}: `);
    expect(message.split("\n")[1]).not.toContain("Cannot find module");
  });

  test("works without the C++ shim, whose calls say what is missing", async () => {
    const environment = { FOUNDATION_NATIVE_PATH: ADDON };
    const found = await scenario(PROGRAM, [bare], { environment });
    expect(found).toEqual({
      node: "home",
      capabilities: {
        sharedAllocation: false,
        interrupts: false,
        busyDetection: true,
        isolateIo: process.platform === "linux",
      },
      codes: {
        ...{ allocateShared: "shim_missing", openShared: "shim_missing" },
        ...{ watch: "shim_missing", stallMs: "shim_missing", offHeapMiB: "shim_missing" },
      },
    });
  });

  test.skipIf(!existsSync(SHIM))("without a view of the loop refuses what needs one", async () => {
    const given = join(bare, "without-loop-watch.cjs");
    const core = `require(${JSON.stringify(ADDON)})`;
    await writeFile(given, `module.exports = { ...${core}, hasLoopWatch: () => false };`);
    const found = await scenario(PROGRAM, [ROOT], {
      environment: { FOUNDATION_NATIVE_PATH: given },
    });
    expect(found).toMatchObject({
      capabilities: { interrupts: true, busyDetection: false },
      codes: {
        ...{ allocateShared: "no error: bigint", openShared: "no error: true" },
        ...{ watch: "loop_watch_missing", stallMs: "loop_watch_missing" },
        offHeapMiB: "no error: object",
      },
    });
  });
});
