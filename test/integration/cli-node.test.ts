import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { RunningCommand, runCommand } from "./cli-process.ts";

const running: RunningCommand[] = [];

function start(args: readonly string[], environment?: Record<string, string>): RunningCommand {
  const command = new RunningCommand(["node", ...args], environment);
  running.push(command);
  return command;
}

async function addressOf(command: RunningCommand): Promise<string> {
  const [, address = ""] = await command.printed(/listens on (\S+)/);
  return address;
}

afterEach(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.splice(0).map(({ ended }) => ended));
});

test("two nodes see each other come and go", async () => {
  const first = start(["--name", "first"]);
  const second = start(["--name", "second", "--join", await addressOf(first)]);
  await first.printed(/up second/);
  await second.printed(/up first/);
  second.child.kill("SIGTERM");
  expect(await second.ended).toMatchObject({ exitCode: 0 });
  await first.printed(/down second/);
});

test("ping measures round trips to a node and leaves it in peace", async () => {
  const address = await addressOf(start(["--name", "target"]));
  const end = await runCommand("ping", address, "--count", "3", "--interval-ms", "1");
  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toMatch(/3 of 3 answered\np50 \d+\.\d+ ms/);
});

test("ping of an address where nobody listens fails with one line", async () => {
  const end = await runCommand("ping", "127.0.0.1:1", "--timeout-ms", "500");
  expect(end.exitCode).toBe(1);
  expect(end.stderr).toMatch(/^foundation: .*\n$/);
});

test("nodes with another secret stay strangers", async () => {
  const env = {
    FIRST_SECRET: "a secret of thirty-two bytes, one",
    OTHER: "another secret, as long as that",
  };
  const first = start(["--name", "first", "--secret-env", "FIRST_SECRET"], env);
  const ping = new RunningCommand(
    ["ping", await addressOf(first), "--timeout-ms", "1000", "--secret-env", "OTHER"],
    env,
  );
  running.push(ping);
  expect((await ping.ended).exitCode).toBe(1);
});

test("an open node takes its secret from the environment or a file", async () => {
  const secret = "a secret of thirty-two bytes, one";
  const folder = mkdtempSync(join(tmpdir(), "secret-"));
  const file = join(folder, "secret");
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const closed = await runCommand("node", "--name", "closed", "--listen", "0.0.0.0:0");
  expect(closed.stderr).toContain("[insecure_bind]");
  const open = ["--name", "open", "--listen", "0.0.0.0:0", "--secret-env", "CLUSTER_SECRET"];
  const address = await addressOf(start(open, { CLUSTER_SECRET: secret }));
  const target = `127.0.0.1:${address.slice(address.lastIndexOf(":") + 1)}`;
  const end = await runCommand("ping", target, "--count", "3", "--secret-file", file);
  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  const both = ["--secret-file", file, "--secret-env", "CLUSTER_SECRET"];
  expect((await runCommand("ping", target, ...both)).stderr).toContain("[secret_twice]");
  rmSync(folder, { recursive: true });
});

test("a secret variable that is not set is a usage error", async () => {
  const end = await runCommand(
    "node",
    "--name",
    "a",
    "--secret-env",
    "FOUNDATION_NO_SUCH_VARIABLE",
  );
  expect(end.exitCode).toBe(2);
  expect(end.stderr).toContain("[secret_missing]");
});

test("help and version need no addon and end with 0", async () => {
  expect(await runCommand("--help")).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await runCommand("--version")).stdout).toMatch(/^\d+\.\d+\.\d+/);
});
