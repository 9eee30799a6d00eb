import { describe, expect, test } from "vitest";
import { objections } from "../planted.ts";
import { reachability } from "./reachability.ts";

describe("reachability", () => {
  test("a script that nothing names is found", () => {
    const tree = {
      "ts/index.ts": 'export { Foundation } from "./kernel/foundation.ts";',
      "ts/kernel/foundation.ts": "const x = 1;",
      "ts/kernel/forgotten.ts": 'import "./foundation.ts";',
      "test/unit/builders.ts": "const x = 1;",
    };
    expect(objections(reachability, tree)).toEqual([
      "ts/kernel/forgotten.ts:1",
      "test/unit/builders.ts:1",
    ]);
  });

  test("imports, worker files, child processes and built paths lead to scripts", () => {
    const tree = {
      "ts/cli/main.ts": 'await import("./index/command.ts");',
      "ts/cli/index/command.ts": 'fork(join(import.meta.dirname, "worker.js"));',
      "ts/cli/index/worker.ts": 'new Worker(new URL("../../kernel/isolate.js", import.meta.url));',
      "ts/kernel/isolate.ts": 'let type: import("./types.ts").Type;',
      "ts/kernel/types.ts": "",
      "ts/kernel/ring.ts": "",
      "test/unit/ring.test.ts": 'import { Ring } from "../../dist/ts/kernel/ring.js";',
    };
    expect(objections(reachability, tree)).toEqual([]);
  });

  test("a Rust file outside the module tree is found", () => {
    const tree = {
      "native/link/src/lib.rs": '// mod prose;\npub mod state;\n#[path = "odd/place.rs"]\nmod odd;',
      "native/link/src/state.rs": "mod credit;",
      "native/link/src/state/credit.rs": "",
      "native/link/src/odd/place.rs": "",
      "native/link/src/prose.rs": "",
      "native/link/tests/pair.rs": "mod clock;",
      "native/link/tests/clock/mod.rs": "",
    };
    expect(objections(reachability, tree)).toEqual(["native/link/src/prose.rs:1"]);
  });
});
