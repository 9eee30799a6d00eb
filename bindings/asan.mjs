#!/usr/bin/env node
// Builds the core with AddressSanitizer and runs tests of the boundary against it, in a copy of the
// tree whose only core it is. Two planted mistakes have to be found first.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = join(ROOT, "build/asan");
const TREE = join(FOLDER, "tree");
const REPORTS = join(FOLDER, "reports");
const ADDON = "dist/bindings/foundation_core.node";
const COPIED = ["dist", "test", "ts", "bindings", "examples", "docs", "native/link/src"];
const COPIED_FILES = ["package.json", "tsconfig.json", "vitest.config.ts", "README.md"];
const DEFAULT_TESTS = ["--project", "contract", "--project", "integration"];

const USAGE = `Usage: npm run asan -- [test files or vitest options]
       npm run asan -- --program FILE [arguments]

Builds the core with AddressSanitizer below native/target/asan and runs tests against it: contract
and integration unless others are named; or a program, such as a proof. Needs clang 14's runtime
(Debian: libclang-rt-14-dev).
`;

function run(program, args, options = {}) {
  const { status, signal } = spawnSync(program, args, { cwd: ROOT, stdio: "inherit", ...options });
  return signal ?? status ?? "no such program";
}

/** The sanitizer's runtime, which has to be in the process before the core is. */
function runtime() {
  for (const clang of [process.env["CLANG"], "clang-14", "clang"]) {
    if (clang === undefined) continue;
    const args = ["-print-file-name=libclang_rt.asan-x86_64.so"];
    const { stdout } = spawnSync(clang, args, { encoding: "utf8" });
    if (stdout?.trim().startsWith("/")) return stdout.trim();
  }
  throw new Error("no AddressSanitizer runtime: install clang-14 and libclang-rt-14-dev");
}

/** Naming the host as the target keeps these flags away from build scripts and macros. */
function build() {
  const { stdout } = spawnSync("rustc", ["-vV"], { encoding: "utf8" });
  const host = /^host: (.*)$/m.exec(stdout)?.[1] ?? "unknown";
  const target = join(process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "native/target"), "asan");
  const env = {
    ...process.env,
    RUSTC_BOOTSTRAP: "1", // the flag below is not stable; all it does is
    RUSTFLAGS: "-Zsanitizer=address --cfg foundation_asan",
    CARGO_TARGET_DIR: target,
    CARGO_PROFILE_RELEASE_LTO: "off",
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: "true",
  };
  const args = ["build", "--locked", "--release", "--target", host];
  args.push("--manifest-path", "bindings/core/Cargo.toml");
  const status = run("cargo", args, { env });
  if (status !== 0) throw new Error(`the core does not build (${status})`);
  return join(target, host, "release/libfoundation_core.so");
}

function layOut(library) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  for (const path of [...COPIED, ...COPIED_FILES]) {
    cpSync(join(ROOT, path), join(TREE, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(TREE, "node_modules"));
  cpSync(library, join(TREE, ADDON));
}

/** Whatever the sanitizer has reported since the last look, of whichever process. */
function takeReports() {
  const texts = readdirSync(REPORTS).map((file) => readFileSync(join(REPORTS, file), "utf8"));
  rmSync(REPORTS, { recursive: true });
  mkdirSync(REPORTS);
  return texts;
}

function environment(preload) {
  return {
    ...process.env,
    LD_PRELOAD: preload,
    // Node and V8 leave memory to the system at exit, so leaks are not looked for here. A few
    // frames of each allocation are enough, and take half of the time.
    ASAN_OPTIONS:
      "detect_leaks=0:quarantine_size_mb=32:malloc_context_size=8:" +
      `log_path=${join(REPORTS, "asan")}`,
  };
}

/** A lane that does not find what is there to be found shows nothing. */
function findPlanted(env) {
  const program = `
    const core = require(${JSON.stringify(join(TREE, ADDON))});
    core.lendArena(new Uint8Array(new SharedArrayBuffer(1 << 24)));
    core.useAfterFreeForTest(process.argv[1] === "arena");`;
  const expected = { heap: "heap-use-after-free", arena: "use-after-poison" };
  for (const [place, kind] of Object.entries(expected)) {
    const options = { env, encoding: "utf8", cwd: TREE };
    spawnSync(process.execPath, ["-e", program, place], options);
    const isFound = takeReports().some((text) => text.includes(kind));
    if (!isFound) throw new Error(`the planted use after free of the ${place} was not found`);
    process.stdout.write(`planted use after free of the ${place}: found\n`);
  }
}

/** What Node is started with in the copy of the tree. */
function argumentsOf(tests) {
  if (tests[0] === "--program") return ["--expose-gc", ...tests.slice(1)];
  const chosen = tests.length > 0 ? tests : DEFAULT_TESTS;
  return ["node_modules/vitest/vitest.mjs", "run", ...chosen];
}

function main(tests) {
  if (tests.includes("--help")) return void process.stdout.write(USAGE);
  const preload = runtime();
  layOut(build());
  const env = environment(preload);
  findPlanted(env);
  const status = run(process.execPath, argumentsOf(tests), { cwd: TREE, env });
  const reports = takeReports();
  for (const report of reports) process.stdout.write(`${report}\n`);
  process.stdout.write(`AddressSanitizer: ${reports.length} reports\n`);
  process.exitCode = status === 0 && reports.length === 0 ? 0 : 1;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`asan: ${error.message}\n`);
  process.exitCode = 1;
}
