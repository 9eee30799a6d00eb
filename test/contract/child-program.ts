import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended and what it printed. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program is started with besides its arguments. */
export interface ProgramOptions {
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A program that hangs is killed after this time, and its signal shows it. Unit: ms. */
  readonly timeoutMs?: number;
}

/** Runs a script that lies beside the tests in a process of its own, to its end. */
export async function runProgram(
  script: string,
  args: readonly string[],
  { nodeFlags = [], environment = {}, timeoutMs = 50_000 }: ProgramOptions = {},
): Promise<ProgramEnd> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const options = {
    env: { ...process.env, ...environment },
    timeout: timeoutMs,
    killSignal: "SIGKILL" as const,
    maxBuffer: 16 << 20,
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...nodeFlags, path, ...args],
      options,
      (_error, stdout, stderr) => {
        resolve({ exitCode: child.exitCode, signal: child.signalCode, stdout, stderr });
      },
    );
  });
}

/**
 * Runs one scenario of a script and reads the JSON that it printed.
 *
 * @throws Error with everything the program said, unless it ended with exit code 0
 */
export async function scenario<Found>(
  script: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Found> {
  const end = await runProgram(script, args, options);
  if (end.exitCode !== 0) {
    const how = end.signal ?? `exit code ${end.exitCode}`;
    throw new Error(`${script} ${args.join(" ")} ended with ${how}:\n${end.stdout}${end.stderr}`);
  }
  return JSON.parse(end.stdout) as Found;
}
