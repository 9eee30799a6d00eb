import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError, EXIT_CODES } from "../../ts/cli/exit.ts";
import { isSourceName, scanCorpus } from "../../ts/cli/index/corpus.ts";
import { readSource } from "../../ts/cli/index/source.ts";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "foundation-corpus-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), content);
}

const never = new AbortController().signal;

test.each(["a.js", "a.mjs", "a.cjs", "a.jsx", "a.ts", "a.mts", "a.cts", "a.tsx", "a.d.ts"])(
  "%s is a source",
  (name) => expect(isSourceName(name)).toBe(true),
);

test.each(["a.json", "js", "a.js.map", "a.tsx~", "a.css"])("%s is no source", (name) => {
  expect(isSourceName(name)).toBe(false);
});

describe("scanning", () => {
  test("lists sources of all folders by path, with sizes", async () => {
    await write("b.js", "12");
    await write("a/z.ts", "123");
    await write(".hidden/h.mjs", "1");
    await write("a/readme.md", "no");
    await mkdir(join(root, "folder.js"));
    const { files, bytes } = await scanCorpus(root, [], never);
    expect(files).toEqual([
      { path: ".hidden/h.mjs", bytes: 1 },
      { path: "a/z.ts", bytes: 3 },
      { path: "b.js", bytes: 2 },
    ]);
    expect(bytes).toBe(6);
  });

  test("follows no symbolic link, so a loop ends and nothing outside is read", async () => {
    await write("a.js", "1");
    await symlink(root, join(root, "loop"));
    await symlink("/etc/hostname", join(root, "outside.js"));
    const corpus = await scanCorpus(root, [], never);
    expect(corpus.files.map(({ path }) => path)).toEqual(["a.js"]);
    expect(corpus.symbolicLinks).toBe(2);
  });

  test("does not enter folders that are excluded by name", async () => {
    await write("x/skipped/a.js", "1");
    await write("x/b.js", "1");
    const { files } = await scanCorpus(root, ["skipped"], never);
    expect(files.map(({ path }) => path)).toEqual(["x/b.js"]);
  });

  test("a file is a corpus of its own", async () => {
    await write("one.ts", "1");
    const { files } = await scanCorpus(join(root, "one.ts"), [], never);
    expect(files).toEqual([{ path: "one.ts", bytes: 1 }]);
  });

  test.each(["missing", "text.txt"])("%s is a usage error", async (name) => {
    await write("text.txt", "1");
    const failure: unknown = await scanCorpus(join(root, name), [], never).catch((error) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect(failure).toMatchObject({ exitCode: EXIT_CODES.usage });
  });
});

describe("reading", () => {
  test.each([
    ["a NUL byte", Buffer.from("a\0b"), "binary"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0xfe, 0x41]), "binary"],
    ["more bytes than allowed", Buffer.alloc(101, "a"), "huge"],
  ])("a file with %s is skipped", async (_, content, reason) => {
    await write("f.js", content);
    const source = await readSource(root, "f.js", 100);
    expect(source).toMatchObject({ kind: "skipped", skipped: { path: "f.js", reason } });
  });

  test("a file that is gone is skipped as unreadable", async () => {
    const source = await readSource(root, "gone.js", 100);
    expect(source).toMatchObject({ kind: "skipped", skipped: { reason: "unreadable" } });
  });

  test("text comes as its bytes", async () => {
    await write("f.js", "let ü");
    const source = await readSource(root, "f.js", 100);
    expect(source).toEqual({ kind: "content", content: Buffer.from("let ü") });
  });
});
