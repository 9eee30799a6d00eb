import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
