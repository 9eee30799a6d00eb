import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { within } from "./local-nodes.ts";

/** A server that a test starts for itself, heard by what it logs. */
export class ServerProcess {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #onLine: () => void = () => {};

  private constructor(process: ChildProcess) {
    this.#process = process;
    for (const stream of [process.stdout, process.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on("line", (line) => {
        this.#lines.push(line);
        this.#onLine();
      });
    }
    process.once("exit", () => this.#onLine());
  }

  /** Starts one; undefined where the program is not installed. Resolves when it says so. */
  static async start(
    program: string,
    args: readonly string[],
    ready: RegExp,
  ): Promise<ServerProcess | undefined> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const server = new ServerProcess(child);
    const missing = once(child, "error").then(() => undefined);
    return Promise.race([missing, server.says(ready).then(() => server)]);
  }

  /** Resolves when it logs a line like that, from now on or since `since`. */
  async says(wanted: RegExp, since: number = 0): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!this.#lines.slice(since).some((line) => wanted.test(line))) {
        if (this.#hasEnded) throw new Error(`the server ended: ${this.#lines.join("\n")}`);
        await new Promise<void>((resolve) => {
          this.#onLine = resolve;
        });
      }
    };
    return within(wait(), `a line like ${wanted} of a server`);
  }

  /** Has it read its files anew. Resolves when it logs that it has. */
  async reload(done: RegExp): Promise<void> {
    const since = this.#lines.length;
    this.#process.kill("SIGHUP");
    await this.says(done, since);
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  /** Stops it where it stands: it takes questions and answers none. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#process.kill("SIGCONT");
  }
}
