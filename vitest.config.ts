import { defineConfig } from "vitest/config";
import { ParityReporter } from "./test/parity/reporter.ts";

/** One project for each kind of test, by folder: `npm test -- --project unit` runs one of them. */
interface Kind {
  readonly name: string;
  /**
   * What one test may take. Unit: ms. A test waits on events; only a broken one meets its limit.
   */
  readonly testTimeoutMs: number;
  /**
   * Files of real processes run one after another, else they would starve each other's deadlines.
   */
  readonly inParallel: boolean;
  /** Files of another kind that run once more, and with what in their environment. */
  readonly again?: { readonly files: readonly string[]; readonly env: Record<string, string> };
}

/** What must hold whoever polls the sockets: runs again with the arrangement that is no default. */
const IO_FILES = [
  ..."busy order back-pressure calls large-messages priority leaving crash sealed key-rotation"
    .split(" ")
    .map((name) => `test/integration/${name}.test.ts`),
  "test/contract/termination.test.ts",
  "test/contract/process.test.ts",
];

const KINDS: readonly Kind[] = [
  { name: "unit", testTimeoutMs: 10_000, inParallel: true },
  { name: "property", testTimeoutMs: 60_000, inParallel: true },
  { name: "contract", testTimeoutMs: 60_000, inParallel: false },
  { name: "integration", testTimeoutMs: 120_000, inParallel: false },
  {
    name: "io",
    testTimeoutMs: 120_000,
    inParallel: false,
    again: { files: IO_FILES, env: { FOUNDATION_TEST_IO: "isolate" } },
  },
  // Nodes in network namespaces, with faults between them: needs root, iproute2 and ethtool.
  { name: "faults", testTimeoutMs: 180_000, inParallel: false },
  { name: "types", testTimeoutMs: 60_000, inParallel: true },
  { name: "tidy", testTimeoutMs: 60_000, inParallel: true },
];

export default defineConfig({
  test: {
    pool: "forks",
    // Two at a time suits the smallest machine that the suite promises to pass on (two cores).
    maxWorkers: 2,
    // `npm run parity` reads what the second one writes.
    reporters: ["default", new ParityReporter()],
    projects: KINDS.map(({ name, testTimeoutMs, inParallel, again }, order) => ({
      test: {
        name,
        include: again?.files.slice() ?? [`test/${name}/**/*.test.ts`],
        ...(again !== undefined && { env: again.env }),
        // The types project checks `*.test-d.ts` with the compiler instead of running them.
        ...(name === "types" && {
          typecheck: {
            enabled: true,
            include: ["test/types/**/*.test-d.ts"],
            tsconfig: "./test/tsconfig.json",
            ignoreSourceErrors: true,
          },
        }),
        fileParallelism: inParallel,
        testTimeout: testTimeoutMs,
        hookTimeout: testTimeoutMs,
        // Groups run in this order, so that processes under test never share the machine with
        // others.
        sequence: { groupOrder: order },
      },
    })),
  },
});
