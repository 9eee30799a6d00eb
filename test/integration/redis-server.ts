import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";

/** A Redis server of a test's own, which keeps nothing. */
export class RedisServer {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(port: number, process: ChildProcess) {
    this.port = port;
    this.#process = process;
  }

  /** Starts one on a free port; undefined where the program is not installed. */
  static async start(): Promise<RedisServer | undefined> {
    const port = await freePort();
    const options = `--port ${port} --bind 127.0.0.1 --appendonly no --daemonize no`.split(" ");
    const child = spawn("redis-server", [...options, "--save", ""], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const missing = once(child, "error").then(() => undefined);
    const ready = (async () => {
      for await (const line of createInterface(child.stdout)) {
        if (line.includes("Ready to accept connections")) return new RedisServer(port, child);
      }
      throw new Error("redis-server ended before it was ready");
    })();
    const server = await Promise.race([missing, ready]);
    child.stdout.resume();
    return server;
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }

  /** Stops it where it stands: connections stay, and nobody answers. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#process.kill("SIGCONT");
  }
}
