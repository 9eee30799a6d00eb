import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DOCUMENTED_EXAMPLES } from "../unit/compat-examples.ts";
import { runCommand } from "./cli-process.ts";

const folder = mkdtempSync(join(tmpdir(), "migrate-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function written(text: string, extension = "exs"): string {
  files += 1;
  const file = join(folder, `topologies-${files}.${extension}`);
  writeFileSync(file, text);
  return file;
}

const migrate = async (...args: string[]) => runCommand("migrate", "libcluster", ...args);

const GOSSIP = `config :libcluster, topologies: [
  lan: [strategy: Cluster.Strategy.Gossip, config: [secret: "a very secret word", prot: 1]]]`;

describe("migrate libcluster", () => {
  test.each(DOCUMENTED_EXAMPLES)("$name", async ({ text, sources, isComplete }) => {
    const { exitCode, stdout } = await migrate(written(text), "--json", "-");
    const { config } = JSON.parse(stdout) as { config: object };
    const expected = JSON.stringify({ discovery: { sources } });
    const shown = expected.replace('"somepassword"', '"env:GOSSIP_SECRET"');
    expect(config).toEqual(JSON.parse(shown));
    expect(exitCode).toBe(isComplete ? 0 : 1);
  });

  test("prints the report and the options, and no secret", async () => {
    const { exitCode, stdout, stderr } = await migrate(written(GOSSIP));
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain("1 topology, 1 source; 2 settings mapped, 0 unsupported");
    expect(stdout).toContain("lan.secret (line 2, column 53): discovery.sources[0].provider");
    expect(stdout).toContain("unknown key 'prot' in config of 'lan'; did you mean 'port'?");
    expect(stdout).toContain("put it into GOSSIP_SECRET of the environment");
    expect(stdout).toContain('"kind": "gossip"');
    expect(stdout).not.toContain("very secret");
  });

  test("writes report and options as JSON, and no secret", async () => {
    const json = join(folder, "report.json");
    const { exitCode } = await migrate(written(GOSSIP), "--json", json);
    expect(exitCode).toBe(0);
    const text = readFileSync(json, "utf8");
    expect(text).not.toContain("very secret");
    const report = JSON.parse(text) as Record<string, unknown>;
    expect(report).toMatchObject({
      config: { discovery: { sources: [{ provider: { kind: "gossip" }, prune: "never" }] } },
      topologies: [{ name: "lan", strategy: "Cluster.Strategy.Gossip", source: 0 }],
      unsupported: [],
    });
  });

  test("--check prints what has to be looked at, and no options", async () => {
    const text = `a: [strategy: Cluster.Strategy.DNSPoll, config: [query: System.get_env("Q")]]`;
    const { exitCode, stdout } = await migrate(written(text), "--check");
    expect(exitCode).toBe(1);
    expect(stdout).toContain('a.query (line 1, column 50): System.get_env("Q") has a value only');
    expect(stdout).toContain("a.node_basename: it is required: a string");
    expect(stdout).toContain("1 topology, 0 sources; 0 settings mapped, 2 unsupported");
    expect(stdout).not.toContain("Foundation.start");
  });

  test("takes the port of the nodes, and the old way of pruning", async () => {
    const text = '{"a": {"strategy": "DNSPoll", "config": {"query": "q", "nodeBasename": "b"}}}';
    const args = ["--node-port", "7000", "--prune-immediately", "--json", "-"];
    const { exitCode, stdout } = await migrate(written(text), ...args);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      config: {
        discovery: {
          sources: [
            {
              provider: { kind: "dns", options: { query: "q", basename: "b", port: 7000 } },
              prune: "immediate",
            },
          ],
        },
      },
    });
  });

  const LAN = `{ strategy: "Cluster.Strategy.Gossip", config: { port: 4000 } }`;
  test.each([
    ["mjs", `export default { lan: ${LAN} };`],
    ["mjs", `export const libclusterTopologies = await Promise.resolve({ lan: ${LAN} });`],
    ["cjs", `exports.topologies = { lan: ${LAN} };`],
    ["cjs", `module.exports = { lan: ${LAN} };`],
  ])("runs a module of JavaScript: .%s, %s", async (extension, text) => {
    const { exitCode, stdout } = await migrate(written(text, extension), "--json", "-");
    const { config } = JSON.parse(stdout) as { config: { discovery: { sources: unknown[] } } };
    expect(config.discovery.sources).toMatchObject([
      { provider: { kind: "gossip", options: { port: 4000 } } },
    ]);
    expect(exitCode).toBe(0);
  });

  test("says of hooks and providers of a module where they have to be put", async () => {
    const text = `export default {
      lan: { strategy: "Cluster.Strategy.Gossip", connect: () => true, list_nodes: () => [] },
      own: { strategy: { kind: "own", label: "own", async *candidates() {} } },
    };`;
    const { exitCode, stdout } = await migrate(written(text, "mjs"), "--check");
    expect(stdout).toContain("lan.connect: it is not printed, for it is code");
    expect(stdout).toContain("put it into discovery.sources[0].listNodes");
    expect(stdout).toContain("put it into discovery.sources[1].provider");
    expect(exitCode).toBe(0);
  });

  test.each([
    ["a module that throws", [written("throw new Error('not today')", "mjs")], "not today"],
    ["a module that does not parse", [written("export default {", "mjs")], "cannot be run"],
    ["a module without topologies", [written("export const a = 1", "mjs")], "no topologies"],
    ["a file that is not there", [join(folder, "nowhere")], "cannot be read"],
    ["no file", [], "missing required argument"],
    ["a port that is none", [written(GOSSIP), "--node-port", "0"], "from 1 to 65535"],
    ["a text without topologies", [written("x = 1")], "no topologies found"],
    ["code", [written("a: [strategy: strategy()]")], "line 1, column 15"],
    ["a file that cannot be written", [written(GOSSIP), "--json", folder], "cannot be written"],
  ])("ends with 2 for %s", async (_what, args, words) => {
    const { exitCode, stderr } = await migrate(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });

  test("--help names the exit codes", async () => {
    const { exitCode, stdout } = await migrate("--help");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/0 {4}everything.*\n.*1 {4}something.*\n.*2 {4}wrong/);
  });
});
