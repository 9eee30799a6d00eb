import { expect, test } from "vitest";
import { objections } from "../planted.ts";
import { listedDependencies } from "./listed-dependencies.ts";

const PAGE = "| `vitest` | 4.1.12 | runs tests |\n| `tokio` | 1.54.1 | sockets |\n";

test("a package or crate that the page leaves out is found, and so is another version", () => {
  const tree = {
    "docs/dependencies.md": PAGE,
    "package.json":
      '{ "dependencies": {\n"left": "1.0.0" },\n"devDependencies": {\n"vitest": "4.1.13" } }',
    "native/node/Cargo.toml": '[dependencies]\ntokio = "1"\n[dev-dependencies]\nright = "1"\n',
  };
  expect(objections(listedDependencies, tree)).toEqual([
    "package.json:2",
    "package.json:4",
    "native/node/Cargo.toml:4",
  ]);
});

test("listed parts pass, and the workspace's own crates need no entry", () => {
  const tree = {
    "docs/dependencies.md": PAGE,
    "bench/peers/package.json": '{ "dependencies": { "vitest": "4.1.12" } }',
    "native/node/Cargo.toml": '[dependencies]\ntokio = "1"\nfoundation-link.workspace = true\n',
  };
  expect(objections(listedDependencies, tree)).toEqual([]);
});
