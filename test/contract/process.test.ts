import { describe, expect, test } from "vitest";
import { type ProgramEnd, runProgram, scenario } from "./child-program.ts";

const SCENARIOS = "./process-scenarios.mjs";

async function run(name: string, ...args: string[]): Promise<ProgramEnd> {
  return runProgram(SCENARIOS, [name, ...args]);
}

describe("a process with a running node", () => {
  test("ends with the code of process.exit() in the middle of traffic, 20 times", async () => {
    const ends: (number | string | null)[] = [];
    for (let round = 0; round < 20; round++) {
      const { exitCode, signal } = await run("exitInTraffic", String(round));
      ends.push(signal ?? exitCode);
    }
    expect(ends).toEqual(Array.from({ length: 20 }, (_, code) => code));
  });

  test("stays alive for messages that are still to come", async () => {
    expect(await scenario(SCENARIOS, ["keptAlive"])).toEqual({ heard: "heard" });
  });

  test("ends with 0 once its nodes are unreferenced", async () => {
    expect(await scenario(SCENARIOS, ["unreferenced"])).toEqual({ code: 0 });
  });

  test("stays alive once its node is referenced again", async () => {
    expect(await scenario(SCENARIOS, ["referencedAgain"])).toEqual({ isLeft: true });
  });

  test("ends by itself with process.exitCode after its nodes left", async () => {
    const { exitCode, signal } = await run("exitCodeAfterLeave", "5");
    expect({ exitCode, signal }).toEqual({ exitCode: 5, signal: null });
  });
});

describe("an exception", () => {
  test("of a one-way handler is an uncaughtException once, and the node goes on", async () => {
    expect(await scenario(SCENARIOS, ["throwingHandlers"])).toEqual({
      messages: ["async", "sync", "sync"],
      answer: "answer",
      answeredLocally: "local",
    });
  });

  test("of a worker's handler is thrown in that worker", async () => {
    expect(await scenario(SCENARIOS, ["throwingWorker"])).toEqual({
      heard: ["ready", "thrown in a worker", "thrown in a worker", "finished"],
      inMain: [],
      answer: "answer",
    });
  });

  test("of an event listener stops neither the other listeners nor the node", async () => {
    expect(await scenario(SCENARIOS, ["throwingListener"])).toEqual({
      messages: ["listener"],
      heard: ["peer"],
      answer: "answer",
    });
  });

  test("that nobody catches ends the process as any other does", async () => {
    const { exitCode, signal, stderr } = await run("fatalHandler");
    expect({ exitCode, signal }).toEqual({ exitCode: 1, signal: null });
    expect(stderr).toContain("Error: nobody catches this");
  });

  test("is what a panic of the native core becomes, and the process lives", async () => {
    const text = "a panic for the test of the boundary";
    expect(await scenario(SCENARIOS, ["panic"])).toEqual({
      errors: [text, text, text],
      answer: "answer",
    });
  });
});
