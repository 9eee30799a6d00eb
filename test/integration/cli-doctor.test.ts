import { describe, expect, test } from "vitest";
import { type CommandEnd, RunningCommand } from "./cli-process.ts";

const QUIET = {
  NODE_ENV: "production",
  FOUNDATION_SEEDS: "",
  KUBERNETES_SERVICE_HOST: "",
  CONSUL_HTTP_ADDR: "",
  FOUNDATION_ETCD_ENDPOINTS: "",
};

async function doctor(environment: Record<string, string>, ...args: string[]): Promise<CommandEnd> {
  return new RunningCommand(["doctor", ...args], { ...QUIET, ...environment }).ended;
}

describe("foundation doctor", () => {
  test("says what is used and why, and that nothing is wrong", async () => {
    const end = await doctor({ FOUNDATION_SEEDS: "10.0.0.7:7000 169.254.169.254:80" });
    expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    expect(end.stdout).toMatch(/ok {4}start: a node of the cluster foundation starts/);
    expect(end.stdout).toMatch(/use {3}environment: FOUNDATION_SEEDS lists addresses/);
    expect(end.stdout).toMatch(/skip {2}kubernetes: KUBERNETES_SERVICE_HOST is not set/);
    expect(end.stdout).toMatch(/knows of 1 others; left out: 1 unreachableAddress/);
    expect(end.stdout).toMatch(/Nothing is wrong\.\n$/);
  });

  test("says what is wrong with the set-up, and exits with 1", async () => {
    const end = await doctor({}, "--listen", "0.0.0.0:0", "--json", "-");
    expect(end.exitCode).toBe(1);
    const report = JSON.parse(end.stdout) as { problems: number; machine: { name: string }[] };
    expect(report.problems).toBe(1);
    expect(report.machine).toContainEqual({
      name: "start",
      severity: "problem",
      text: expect.stringMatching(/there is no secret.*\[insecure_bind\]/),
    });
  });

  test("says that its report cannot be written, and exits with 2", async () => {
    const end = await doctor({}, "--json", "/nowhere/report.json");
    expect(end).toMatchObject({ exitCode: 2 });
    expect(end.stderr).toMatch(/'\/nowhere\/report.json' cannot be written: .*\[unwritable\]/);
  });

  test("asks sources that can be asked, and says how they fail", async () => {
    const seeds = { FOUNDATION_SEEDS: "no-address-at-all:x" };
    const end = await doctor(seeds, "--json", "-");
    const { discovery } = JSON.parse(end.stdout) as { discovery: { checks: { text: string }[] } };
    expect(discovery.checks).toHaveLength(1);
    expect(discovery.checks[0]?.text).toMatch(/nobody else/);
  });
});
