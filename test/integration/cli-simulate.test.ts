import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runSimulation } from "../../dist/ts/kernel/simulation.js";
import { RunningCommand, runCommand } from "./cli-process.ts";

const folder = mkdtempSync(join(tmpdir(), "simulate-"));
afterAll(() => rmSync(folder, { recursive: true }));

const simulate = async (...args: string[]) => runCommand("simulate", ...args);

interface Report {
  readonly seed: number;
  readonly nodes: number;
  readonly traceHash: string;
  readonly figures: readonly { readonly name: string; readonly value: number }[];
}

const CRASH = ["--nodes", "60", "--fail", "0.5", "--seed", "7"];

describe("simulate", () => {
  test("gives the same run for the same seed, and another one for another", async () => {
    const runs = await Promise.all([
      simulate(...CRASH, "--json", "-"),
      simulate(...CRASH, "--json", "-"),
      simulate(...CRASH, "--seed", "8", "--json", "-"),
    ]);
    for (const end of runs) expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    const [first, second, other] = runs.map(({ stdout }) => (JSON.parse(stdout) as Report[])[0]!);
    expect(first).toMatchObject({ scenario: "crash", nodes: 60, seed: 7 });
    expect(first!.figures.length).toBeGreaterThan(5);
    expect(second).toEqual(first);
    expect(other!.traceHash).not.toBe(first!.traceHash);
  });

  test("prints a report and draws the overlay", async () => {
    const picture = join(folder, "overlay.html");
    const { exitCode, stdout } = await simulate(...CRASH, "--picture", picture);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("crash: 60 nodes, seed 7");
    const page = readFileSync(picture, "utf8");
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(2);
  });

  test("sums several seeds up, and writes all their reports", async () => {
    const json = join(folder, "reports.json");
    const { exitCode, stdout } = await simulate(...CRASH, "--seeds", "3", "--json", json);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/seed 7: held\nseed 8: held\nseed 9: held\n/);
    expect(stdout).toMatch(/least +median +most\n/);
    expect(stdout).toMatch(/3 of 3 seeds held\n$/);
    const reports = JSON.parse(readFileSync(json, "utf8")) as Report[];
    expect(reports.map(({ seed }) => seed)).toEqual([7, 8, 9]);
  });

  test("names its scenarios, and runs them by their names", async () => {
    const { exitCode, stdout } = await simulate("--list");
    expect(exitCode).toBe(0);
    const names = stdout.split("\n").map((line) => line.split(" ", 1)[0]);
    expect(names).toEqual(expect.arrayContaining(["crash", "at-once", "tree"]));
    const { stdout: json } = await simulate(
      "--scenario",
      "at-once",
      "--nodes",
      "30",
      "--json",
      "-",
    );
    const [report] = JSON.parse(json) as Report[];
    expect(report).toMatchObject({ scenario: "at-once", nodes: 30, violation: null });
  });

  test("ends with 1 where a bar is missed", async () => {
    // That nine in ten are gone, not even the six who are left can know within the bar of 6 s.
    const few = ["--scenario", "detection", "--nodes", "60", "--fail", "0.9", "--seed", "1"];
    const { exitCode, stdout } = await simulate(...few);
    expect(stdout).toMatch(/^! /m);
    expect(exitCode).toBe(1);
  });

  test.each([
    [["--scenario", "crsh"], "no 'crsh'"],
    [["--nodes", "1"], "whole number from 2"],
    [["--fail", "1"], "from 0 to 0.99"],
    [["--picture", "overlay.png"], "has to end with .html"],
    // Found out before a run that would take hours.
    [["--nodes", "10000", "--json", join("/nonexistent", "x.json")], "cannot be written"],
    [["--nodes", "10000", "--picture", join("/nonexistent", "x.html")], "cannot be written"],
    [["--nodes", "10000", "--json", "/"], "it is a directory"],
  ])("ends with 2 for %j", async (args, text) => {
    const { exitCode, stderr } = await simulate(...args);
    expect(stderr).toContain(text);
    expect(exitCode).toBe(2);
  });

  test("stops at a signal", async () => {
    const command = new RunningCommand(["simulate", "--nodes", "50", "--seeds", "10000"]);
    await command.printed(/seed 1: /);
    command.child.kill("SIGINT");
    expect(await command.ended).toMatchObject({ exitCode: 130 });
  });
});

describe("a run", () => {
  test("leaves the event loop free, tells how far it is, and can be aborted", async () => {
    const controller = new AbortController();
    let turns = 0;
    const turn = (): void => {
      turns++;
      if (!controller.signal.aborted) setImmediate(turn);
    };
    turn();
    const phases: string[] = [];
    const run = runSimulation(
      { nodes: 2_000, seed: 1 },
      ({ phase, steps }) => {
        phases.push(phase);
        if (steps > 0) controller.abort("enough");
      },
      controller.signal,
    );
    await expect(run).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    expect(phases.length).toBeGreaterThan(0);
    expect(turns).toBeGreaterThan(1);
    const before = runSimulation({ nodes: 10 }, () => {}, controller.signal);
    await expect(before).rejects.toMatchObject({ code: "aborted" });
  });

  test("says what is wrong with its options", async () => {
    const run = runSimulation({ nodes: 1 }, () => {});
    await expect(run).rejects.toMatchObject({ code: "invalid_options" });
    const unknown = runSimulation({ nods: 10 } as never, () => {});
    await expect(unknown).rejects.toMatchObject({ code: "invalid_options" });
  });
});
