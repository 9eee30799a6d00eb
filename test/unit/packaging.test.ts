import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareVersions, foreignLibraries, glibcFloor } from "../../npm/elf.mjs";
import { startRegistry } from "../../npm/registry.mjs";

describe("the measure of a shared library", () => {
  it("versions compare by number, not by text", () => {
    expect(compareVersions("2.9", "2.28")).toBeLessThan(0);
    expect(compareVersions("2.34", "2.28")).toBeGreaterThan(0);
    expect(compareVersions("2.28", "2.28")).toBe(0);
    expect(compareVersions("2.28.1", "2.28")).toBeGreaterThan(0);
  });

  it("a program asks for the glibc of its symbols and for no library of its own", () => {
    const floor = glibcFloor("/bin/ls");
    expect(compareVersions(floor, "2.2")).toBeGreaterThan(0);
    expect(compareVersions(floor, "3")).toBeLessThan(0);
    expect(foreignLibraries(process.execPath)).toEqual([]);
  });
});

/** Files of the build and other modules that a file loads, itself included; not by `import()`. */
function loadedBy(file: string, known = new Set<string>()): Set<string> {
  const dist = fileURLToPath(new URL("../../dist", import.meta.url));
  if (known.has(file)) return known;
  known.add(file);
  const { module } = parseSync(file, readFileSync(join(dist, file), "utf8"));
  const exported = module.staticExports.flatMap(({ entries }) => entries);
  const specifiers = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...exported.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  ];
  for (const specifier of specifiers) {
    if (!specifier.startsWith(".")) known.add(specifier);
    else loadedBy(relative(dist, join(dist, dirname(file), specifier)), known);
  }
  return known;
}

describe("the bundle", () => {
  const chunks = (...names: string[]) => names.map((name) => `ts/chunks/${name}.js`);

  it.each([
    ["ts/beam/heavy-entry.js", chunks("process", "thread")],
    ["ts/beam/schedulers/scheduler-entry.js", chunks("thread")],
    ["ts/beam/index.js", chunks("beam", "process", "thread")],
    ["ts/index.js", chunks("beam", "library", "process", "thread")],
    ["ts/cli/node/command.js", chunks("beam", "command", "library", "process", "thread")],
  ])("%s loads few files, and no package", (entry, expected) => {
    const loaded = [...loadedBy(entry)].filter((name) => !name.startsWith("node:"));
    expect(loaded.sort()).toEqual([entry, ...expected].sort());
  });

  it("a module is the same by whatever name it is imported", async () => {
    const [index, beam, errors, pids, servers] = await Promise.all([
      import("../../dist/ts/index.js"),
      import("../../dist/ts/beam/index.js"),
      import("../../dist/ts/base/errors.js"),
      import("../../dist/ts/base/pid.js"),
      import("../../dist/ts/beam/gen-server.js"),
    ]);
    expect(errors.FoundationError).toBe(index.FoundationError);
    expect(pids.Pid).toBe(index.Pid);
    expect(servers.GenServer).toBe(index.GenServer);
    expect(beam.GenServer).toBe(index.GenServer);
    expect(index).toMatchObject(beam);
  });

  it("classes and functions keep their names", async () => {
    const { FoundationError, GenServer, StateMachine, supervisor } = await import(
      "../../dist/ts/index.js"
    );
    const names = [FoundationError, GenServer, StateMachine, supervisor].map(({ name }) => name);
    expect(names).toEqual(["FoundationError", "GenServer", "StateMachine", "supervisor"]);
  });
});

describe("the registry of the trials", () => {
  let packs = "";
  beforeEach(() => {
    packs = mkdtempSync(join(tmpdir(), "foundation-packs-"));
    writeFileSync(join(packs, "ours-1.0.0.tgz"), "a tarball");
  });
  afterEach(() => rmSync(packs, { recursive: true, force: true }));

  it("answers for the packed packages and says when nobody is behind it", async () => {
    const manifest = { name: "ours", version: "1.0.0", dependencies: { other: "1" } };
    const registry = await startRegistry(packs, [manifest], "http://127.0.0.1:1");
    try {
      const packument = (await (await fetch(`${registry.url}/ours`)).json()) as {
        versions: Record<string, { dist: { tarball: string }; dependencies: unknown }>;
      };
      const version = packument.versions["1.0.0"];
      expect(version?.dependencies).toEqual({ other: "1" });
      const tarball = await fetch(version?.dist.tarball ?? "");
      expect(await tarball.text()).toBe("a tarball");
      expect((await fetch(`${registry.url}/another`)).status).toBe(502);
    } finally {
      registry.close();
    }
  });
});
