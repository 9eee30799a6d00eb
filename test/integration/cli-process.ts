import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/ts/cli/main.js", import.meta.url));

/** How a command ended, with all that it printed. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running `foundation` command whose output can be waited for. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandEnd>;
  #stdout = "";
  #stderr = "";
  #onOutput = (): void => {};

  constructor(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
      this.#onOutput();
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (exitCode, signal) => {
        resolve({ exitCode, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  /** Resolves with the match once the output so far has one; rejects if the command ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.#stdout);
        if (match !== null) resolve(match);
      };
      this.#onOutput = look;
      look();
      void this.ended.then(({ stdout, stderr }) => {
        reject(new Error(`ended without printing ${String(pattern)}:\n${stdout}${stderr}`));
      });
    });
  }
}

/** Runs a command to its end. */
export async function runCommand(...args: string[]): Promise<CommandEnd> {
  return new RunningCommand(args).ended;
}

/** Process ids of the workers of a running `foundation index`, once they have joined. */
export async function workerPids(command: RunningCommand): Promise<number[]> {
  const [line] = await command.printed(/workers joined in .*\n/);
  return [...line.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));
}

/** False once the process is gone. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Writes modules that import each other: a few hundred small ones, and some large enough that a
 * run takes a while. The same text every time.
 */
export async function writeSources(root: string, files: number): Promise<void> {
  for (let index = 0; index < files; index++) {
    const path = join(root, `part-${index % 7}`, `module-${index}.js`);
    const body = `export function f${index}(a) { return [a, "${index}"].map((x) => x + 1); }\n`;
    const repeats = index % 10 === 0 ? 400 : 4;
    const lines = Array.from({ length: repeats }, (_, line) => body.replace("(a)", `_${line}(a)`));
    const next = (index + 7) % files;
    const imports = `import * as next from "../part-${next % 7}/module-${next}.js";\n`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, imports + lines.join(""));
  }
}
