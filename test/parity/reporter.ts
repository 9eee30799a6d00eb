import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { idsIn, RAN_FILE } from "./ran.mjs";

const ROOT = join(import.meta.dirname, "../..");

/** Writes down which tests that stand for some of Foundation 1.x ran, and what became of them. */
export class ParityReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const ran: import("./ran.mjs").RanTest[] = [];
    for (const module of modules) {
      const path = relative(ROOT, module.moduleId).split("\\").join("/");
      for (const test of module.children.allTests()) {
        if (idsIn(test.name).length === 0) continue;
        ran.push({ path, title: test.name, state: test.result().state });
      }
    }
    const file = join(ROOT, RAN_FILE);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(ran, undefined, 1)}\n`);
  }
}
