import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** A Redis server of a test's own, which keeps nothing. */
export class RedisServer {
  readonly port: number;
  readonly #server: ServerProcess;

  private constructor(port: number, server: ServerProcess) {
    this.port = port;
    this.#server = server;
  }

  /** Starts one on a free port; undefined where the program is not installed. */
  static async start(): Promise<RedisServer | undefined> {
    const port = await freePort();
    const options = `--port ${port} --bind 127.0.0.1 --appendonly no --daemonize no`.split(" ");
    const ready = /Ready to accept connections/;
    const server = await ServerProcess.start("redis-server", [...options, "--save", ""], ready);
    return server && new RedisServer(port, server);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }

  /** Stops it where it stands: connections stay, and nobody answers. */
  freeze(): void {
    this.#server.freeze();
  }

  /** Lets it go on. */
  thaw(): void {
    this.#server.thaw();
  }
}
