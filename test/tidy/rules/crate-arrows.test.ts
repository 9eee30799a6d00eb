import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { crateArrows } from "./crate-arrows.ts";

const manifest = (...lines: string[]): string =>
  ["[package]", 'name = "foundation-x"', "[dependencies]", ...lines].join("\n");

describe("crate arrows", () => {
  test("dependencies on floors below pass", () => {
    const tree = {
      "native/sync/Cargo.toml": manifest(),
      "native/link/Cargo.toml": manifest("foundation-frame.workspace = true", 'hmac = "0.12"'),
      "bindings/core/Cargo.toml": manifest("foundation-node = {}", 'napi = "3"'),
    };
    expect(objections(crateArrows, tree)).toEqual([]);
  });

  test.each([
    ["native/frame/Cargo.toml", "foundation-link.workspace = true"],
    ["native/ring/Cargo.toml", 'foundation-buffer = { path = "../buffer" }'],
    ["native/transport/Cargo.toml", "foundation-node.workspace = true"],
    ["native/node/Cargo.toml", 'napi-derive = "3"'],
    ["native/node/Cargo.toml", "foundation-sim.workspace = true"],
    ["native/sim/Cargo.toml", "foundation-membership.workspace = true"],
    ["native/cellar/Cargo.toml", "foundation-sync.workspace = true"],
    ["native/link/Cargo.toml", "foundation-cellar.workspace = true"],
  ])("a wrong arrow in %s is found: %s", (path, line) => {
    expect(objections(crateArrows, { [path]: manifest(line) })).toEqual([`${path}:4`]);
  });

  test("dependencies of one target and of the build count, those of tests do not", () => {
    const text = [
      "[dev-dependencies]",
      "foundation-node.workspace = true",
      "[target.'cfg(unix)'.dependencies]",
      "foundation-node.workspace = true",
      "[build-dependencies.foundation-transport]",
    ].join("\n");
    expect(objections(crateArrows, { "native/link/Cargo.toml": text })).toEqual([
      "native/link/Cargo.toml:4",
      "native/link/Cargo.toml:5",
    ]);
  });
});
