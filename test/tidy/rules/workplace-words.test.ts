import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { workplaceWords } from "./workplace-words.ts";

// Put together here, since this file is under the rule like any other.
const planted = (...parts: string[]): string => parts.join("");

describe("workplace words", () => {
  test.each([
    planted("see /wo", "rk/main/native"),
    planted("cd /ro", "ot/project"),
    planted("made in an earlier ses", "sion"),
    planted("left to hel", "per B"),
    planted("as iss", "ue 2 asks"),
    planted("written by an L", "LM"),
    planted("fetched from regi", "stry.example.org"),
    planted("../sha", "red/design/core.md"),
  ])("%s is found", (text) => {
    expect(objections(workplaceWords, { "docs/wire.md": `first\n${text}` })).toEqual([
      "docs/wire.md:2",
    ]);
  });

  test.each([
    "The TLS session is resumed.",
    "A session ticket is refused.",
    "See src/work/queue.ts and the root/ folder.",
    "The helper thread of libuv.",
  ])("%s passes", (text) => {
    expect(objections(workplaceWords, { "docs/wire.md": text })).toEqual([]);
  });

  test("lockfiles name packages by hash and crates by the one public index", () => {
    const index = "registry+https://github.com/rust-lang/crates.io-index";
    const tree = {
      "package-lock.json": planted('{\n  "resolved": "https://regi', 'stry.example.org/a.tgz"\n}'),
      "native/Cargo.lock": `source = "${index}"\nsource = "registry+https://mirror.example.org"\n`,
    };
    expect(objections(workplaceWords, tree)).toEqual([
      "package-lock.json:2",
      "native/Cargo.lock:2",
    ]);
  });
});
