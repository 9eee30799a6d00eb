import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, RunningCommand, runCommand, workerPids, writeSources } from "./cli-process.ts";

const FILES = 600;
let folder = "";
let sources = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "foundation-index-"));
  sources = join(folder, "sources");
  await writeSources(sources, FILES);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Report {
  readonly files: string[];
  readonly bytes: number;
  readonly sha256: string;
  readonly workers: { readonly name: string; readonly files: number; readonly bytes: number }[];
  readonly channels: { readonly bulk: { readonly sentBytes: number; readonly lostBytes: number } };
  readonly pings: { readonly count: number };
  readonly checks: { readonly name: string; readonly isHeld: boolean }[];
  readonly redispatchedFiles: number;
  readonly kill: { readonly atShare: number; readonly unfinishedFiles: number } | null;
  readonly overlay?: { readonly strategy: string; readonly members: number } | null;
  readonly skipped: { readonly path: string; readonly reason: string }[];
}

async function index(...args: string[]): Promise<Report> {
  const json = join(folder, "report.json");
  const end = await runCommand("index", ...args, "--json", json);
  expect(end, end.stdout).toMatchObject({ exitCode: 0, stderr: "" });
  return JSON.parse(await readFile(json, "utf8")) as Report;
}

describe("foundation index", () => {
  test("indexes every file once, and every byte is accounted for", async () => {
    const report = await index(sources);
    expect(new Set(report.files).size).toBe(FILES);
    expect(report.workers).toHaveLength(3);
    expect(report.workers.reduce((sum, worker) => sum + worker.files, 0)).toBe(FILES);
    expect(report.workers.reduce((sum, worker) => sum + worker.bytes, 0)).toBe(report.bytes);
    expect(report.channels.bulk.sentBytes).toBeGreaterThan(report.bytes);
    expect(report.channels.bulk.lostBytes).toBe(0);
    expect(report.checks.filter(({ isHeld }) => !isHeld)).toEqual([]);
  });

  test("the result does not depend on the number of workers", async () => {
    const one = await index(sources, "--workers", "1");
    const four = await index(sources, "--workers", "4");
    expect(one.sha256).toBe(four.sha256);
  });

  test("a worker killed in the middle costs no file", async () => {
    const whole = await index(sources);
    const report = await index(sources, "--kill");
    expect(report.kill?.atShare).toBeGreaterThanOrEqual(0.4);
    expect(report.kill?.atShare).toBeLessThanOrEqual(0.6);
    expect(report.kill?.unfinishedFiles).toBeGreaterThan(0);
    expect(report.redispatchedFiles).toBeGreaterThan(0);
    expect(report.sha256).toBe(whole.sha256);
  });

  test.each([
    ["", []],
    [", also where a worker is killed", ["--kill"]],
  ] as const)("nodes of partial views come to the same%s", async (_, options) => {
    const whole = await index(sources);
    const report = await index(sources, "--overlay", "hyparview", ...options);
    expect(report.sha256).toBe(whole.sha256);
    expect(report.overlay).toMatchObject({ strategy: "hyparview" });
    // The successor of a worker that was killed may be there by the end, or not yet.
    expect(report.overlay?.members).toBeGreaterThanOrEqual(4 - options.length);
    expect(report.checks.filter(({ isHeld }) => !isHeld)).toEqual([]);
    expect(report.kill === null).toBe(options.length === 0);
  });

  test("files that are no sources are counted and named", async () => {
    const odd = join(folder, "odd");
    await mkdir(odd, { recursive: true });
    await writeFile(join(odd, "good.js"), "export {};");
    await writeFile(join(odd, "broken.ts"), "let x = ;");
    await writeFile(join(odd, "binary.js"), "a\0b");
    await writeFile(join(odd, "huge.js"), "a".repeat(2_000));
    const report = await index(odd, "--file-bytes-max", "1000");
    expect(report.files).toEqual(["broken.ts", "good.js"]);
    expect(report.skipped).toMatchObject([
      { path: "binary.js", reason: "binary" },
      { path: "huge.js", reason: "huge" },
    ]);
  });

  test("a file that crashes the parser is set aside, and the rest is indexed", async () => {
    const poisoned = join(folder, "poisoned");
    await mkdir(poisoned, { recursive: true });
    await writeFile(join(poisoned, "good.js"), "export {};");
    // A chain this long overflows the parser's stack.
    await writeFile(join(poisoned, "poison.js"), `1${"+1".repeat(2_000_000)}`);
    const report = await index(poisoned);
    expect(report.files).toEqual(["good.js"]);
    expect(report.skipped).toMatchObject([{ path: "poison.js", reason: "crashes-parser" }]);
  });

  test("a single file is indexed by itself", async () => {
    const report = await index(join(sources, "part-0", "module-0.js"));
    expect(report.files).toEqual(["module-0.js"]);
  });
});

describe("foundation index refuses", () => {
  test.each([
    ["a path that does not exist", ["missing"], "path_not_found"],
    ["a file of another kind", ["text.txt"], "path_unsupported"],
    ["a folder without sources", ["empty"], "nothing_to_index"],
    ["a kill without a second worker", [".", "--kill", "--workers", "1"], "kill_needs_workers"],
    ["a report nobody can write", [".", "--json", "missing/report.json"], "json_not_writable"],
  ])("%s, with one line and exit code 2", async (_, [path, ...options], code) => {
    await writeFile(join(folder, "text.txt"), "");
    await mkdir(join(folder, "empty"), { recursive: true });
    const args = options.map((option) => option.replace("missing/", `${folder}/missing/`));
    const end = await runCommand("index", join(folder, path ?? ""), ...args);
    expect(end).toMatchObject({ exitCode: 2, stdout: "" });
    expect(end.stderr).toMatch(new RegExp(`^foundation: .*\\[${code}\\]\\n$`));
  });

  test("no workers at all, with exit code 2", async () => {
    const end = await runCommand("index", sources, "--workers", "0");
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toContain("--workers");
  });
});

describe("no process is left behind", () => {
  async function allGone(pids: readonly number[]): Promise<void> {
    await expect.poll(() => pids.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops the workers and ends with %i", async (signal, exitCode) => {
    const command = new RunningCommand(["index", sources]);
    const pids = await workerPids(command);
    expect(pids).toHaveLength(3);
    command.child.kill(signal);
    expect(await command.ended).toMatchObject({ exitCode });
    await allGone(pids);
  });

  test("workers end by themselves when the coordinator is killed", async () => {
    const command = new RunningCommand(["index", sources]);
    const pids = await workerPids(command);
    command.child.kill("SIGKILL");
    expect(await command.ended).toMatchObject({ signal: "SIGKILL" });
    await allGone(pids);
  });

  test("losing every worker is one clear error", async () => {
    const command = new RunningCommand(["index", sources]);
    for (const pid of await workerPids(command)) process.kill(pid, "SIGKILL");
    const end = await command.ended;
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain("[workers_lost]");
  });
});
